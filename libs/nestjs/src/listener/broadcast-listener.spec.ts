import type { BrokerPorts, Mq, MqContext, MqEventMap } from '@millrace/core';
import { connectInMemory } from '@millrace/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getMqToken } from '../connection/connection-tokens.js';
import { OnMqEvent } from '../events/on-mq-event.decorator.js';
import { MqModule } from '../mq.module.js';
import { MqListener } from './mq-listener.decorator.js';

const apps: INestApplicationContext[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

async function start(provider: Type<unknown>, ports: BrokerPorts): Promise<INestApplicationContext> {
  class Application {}
  const module = { module: Application, imports: [MqModule.forRoot({ ports })], providers: [provider] };
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  apps.push(app);
  return app;
}

describe('a broadcast listener', () => {
  it('gets every message in every application, with pipeline, context and events of the others', async () => {
    const seen: string[] = [];
    @Injectable()
    class Prices {
      @MqListener({ topic: 'prices', group: 'cache', mode: 'broadcast', instance: 'pod-1', maxAttempts: 1 })
      async changed(price: { item: string }, context: MqContext): Promise<void> {
        if (price.item === 'broken') throw new Error('no such item');
        seen.push(`${price.item} ${context.group} ${context.attempt}`);
      }

      @OnMqEvent('broadcast-failed')
      failed({ text }: MqEventMap['broadcast-failed']): void {
        seen.push(`failed: ${text}`);
      }
    }
    const { store } = connectInMemory();
    const both = [1, 2].map(() => start(Prices, connectInMemory({ store })));
    const mqs = (await Promise.all(both)).map((app) => app.get<Mq>(getMqToken()));
    const ended = mqs.flatMap(({ events }) => [events.next('done'), events.next('broadcast-failed')]);
    await mqs[0]!.producer.sendAll(['pear', 'broken'].map((item) => ({ destination: 'prices', body: { item } })));
    await Promise.all(ended);
    expect(seen.toSorted()).toEqual(['failed: no such item', 'failed: no such item', 'pear cache 1', 'pear cache 1']);
  });
});
