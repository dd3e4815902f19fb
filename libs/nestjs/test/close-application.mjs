// A process of its own, because a test runner has timers of its own: starts an application, consumes one message, closes,
// and prints which resources are left that were not there before. Then it must end by itself.
import 'reflect-metadata';
import { getMqToken, MqListener, MqModule, MqProducer } from '@millrace/nestjs';
import { NestFactory } from '@nestjs/core';

class Orders {
  created() {}
}
MqListener({ topic: 'orders', group: 'billing' })(
  Orders.prototype,
  'created',
  Object.getOwnPropertyDescriptor(Orders.prototype, 'created'),
);
Reflect.defineMetadata('design:paramtypes', [], Orders.prototype, 'created');

class Application {}
const options = { connection: process.env.REDIS_URL, namespace: process.argv[2] };
const module = { module: Application, imports: [MqModule.forRoot(options)], providers: [Orders] };

const before = process.getActiveResourcesInfo();
const app = await NestFactory.createApplicationContext(module, { logger: false });
const done = app.get(getMqToken()).events.next('done');
await app.get(MqProducer).send('orders', { id: 'o-1' });
await done;
await app.close();
const left = process.getActiveResourcesInfo();
for (const resource of before) if (left.includes(resource)) left.splice(left.indexOf(resource), 1);
console.log(JSON.stringify(left));
