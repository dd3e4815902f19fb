import type { DeadLetter, DeadLetterContext } from '@millrace/core';
import { connectInMemory } from '@millrace/testing';
import { expect, it } from '@jest/globals';
import { Injectable, Scope, type Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { deadLetter } from '@millrace/core';
import { MqListener } from '../listener/mq-listener.decorator.js';
import { MqModule } from '../mq.module.js';
import { MqProducer } from '../producer/mq-producer.js';
import { MqDeadLetterListener } from './mq-dead-letter-listener.decorator.js';

@Injectable()
class Billing {
  @MqListener({ topic: 'orders', group: 'billing' })
  created(): unknown {
    return deadLetter('no');
  }
}

let heard: { letter: DeadLetter; context: DeadLetterContext; by: object }[] = [];
let onHeard: () => void;

async function start(...providers: Provider[]): Promise<TestingModule> {
  heard = [];
  const app = await Test.createTestingModule({
    imports: [MqModule.forRoot({ ports: connectInMemory() })],
    providers: [Billing, ...providers],
  }).compile();
  await app.init();
  return app;
}

@Injectable()
class Alarms {
  @MqDeadLetterListener({ topic: 'orders', group: 'billing' })
  dead(letter: DeadLetter, context: DeadLetterContext): void {
    heard.push({ letter, context, by: this });
    onHeard();
  }
}

it('tells the method of a dead letter, on its instance', async () => {
  const told = new Promise<void>((resolve) => (onHeard = resolve));
  const app = await start(Alarms);
  const { messageId } = await app.get(MqProducer).send('orders', { id: 'o-1' });
  await told;
  expect(heard).toHaveLength(1);
  expect(heard[0]).toMatchObject({ letter: { messageId, text: 'no' }, context: { message: { body: { id: 'o-1' } } } });
  expect(heard[0]!.by).toBe(app.get(Alarms));
  await app.close();
});

it('makes an instance for each letter of a request-scoped class', async () => {
  @Injectable({ scope: Scope.REQUEST })
  class Each {
    @MqDeadLetterListener({ topic: 'orders', group: 'billing' })
    dead(letter: DeadLetter, context: DeadLetterContext): void {
      heard.push({ letter, context, by: this });
      if (heard.length === 2) onHeard();
    }
  }
  const told = new Promise<void>((resolve) => (onHeard = resolve));
  const app = await start(Each);
  await app.get(MqProducer).sendAll([
    { destination: 'orders', body: 1 },
    { destination: 'orders', body: 2 },
  ]);
  await told;
  expect(new Set(heard.map(({ by }) => by)).size).toBe(2);
  await app.close();
});

it('ends the start with the name of the method when it is declared badly or for an unknown connection', async () => {
  class Bad {
    @MqDeadLetterListener({ topic: 'orders', group: 'billing', concurrency: 0 })
    dead(): void {}
  }
  await expect(start(Bad)).rejects.toThrow(/Bad\.dead.*concurrency/);
  class Lost {
    @MqDeadLetterListener({ topic: 'orders', group: 'billing', connection: 'reprots' })
    dead(): void {}
  }
  await expect(start(Lost)).rejects.toThrow(/Lost\.dead.*reprots/);
});
