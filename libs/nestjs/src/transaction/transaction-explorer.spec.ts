import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Message, TransactionCheckContext, TransactionDecision } from '@millrace/core';
import { connectInMemory, ManualClock } from '@millrace/testing';
import { Injectable, Scope, type OnModuleInit, type Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { MqHealth } from '../connection/mq.health.js';
import { MqListener } from '../listener/mq-listener.decorator.js';
import { MqModule } from '../mq.module.js';
import type { MqModuleOptions } from '../mq-module-options.js';
import { MqProducer } from '../producer/mq-producer.js';
import { MqTransactionListener } from './mq-transaction-listener.decorator.js';

let clock: ManualClock;
let asked: { message: Message; context: TransactionCheckContext; by: object }[];
let delivered: unknown[];
let app: TestingModule | undefined;

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  delivered = [];
});

afterEach(async () => {
  const closed = app?.close();
  app = undefined;
  await clock.advance(60_000);
  await closed;
});

async function start(providers: Provider[], options: Partial<MqModuleOptions> = {}): Promise<TestingModule> {
  app = await Test.createTestingModule({
    imports: [MqModule.forRoot({ ports: connectInMemory({ clock }), clock, ...options })],
    providers,
  }).compile();
  await app.init();
  return app;
}

@Injectable()
class Checkout {
  @MqTransactionListener('orders')
  check(message: Message<{ id: string }>, context: TransactionCheckContext): TransactionDecision {
    asked.push({ message, context, by: this });
    return message.body.id === 'paid' ? 'commit' : 'rollback';
  }
}

@Injectable()
class Shipping {
  @MqListener({ topic: 'orders', group: 'shipping' })
  ship(body: unknown): void {
    delivered.push(body);
  }
}

const unknown = async (): Promise<TransactionDecision> => 'unknown';

it('asks the method about what nobody decided, on its instance, and does what it says', async () => {
  const { get } = await start([Checkout, Shipping]).then((started) => ({ get: started.get.bind(started) }));
  const producer = get(MqProducer);
  const committed = await producer.sendInTransaction('orders:created', { id: 'sent' }, async () => 'commit', {
    keys: ['k'],
  });
  expect(committed).toMatchObject({ state: 'accepted', duplicate: false });
  await producer.sendInTransaction('orders', { id: 'paid' }, unknown);
  await producer.sendInTransaction('orders', { id: 'unpaid' }, unknown);
  await clock.advance(6000);
  expect(asked.map(({ message }) => message.body)).toEqual([{ id: 'paid' }, { id: 'unpaid' }]);
  expect(asked[0]).toMatchObject({ context: { topic: 'orders', producerGroup: 'producers', checks: 1 } });
  expect(asked[0]!.by).toBe(get(Checkout));
  expect(delivered).toEqual([{ id: 'sent' }, { id: 'paid' }]);
});

it('asks also where nothing is consumed, and shows its loop in health', async () => {
  const started = await start([Checkout], { consumers: false });
  await started.get(MqProducer).sendInTransaction('orders', { id: 'paid' }, unknown);
  await clock.advance(6000);
  expect(asked).toHaveLength(1);
  expect(
    started
      .get(MqHealth)
      .check()
      .loops.map(({ loop }) => loop),
  ).toContain('check-back of orders/producers');
});

it('can be used while other modules are initialised', async () => {
  @Injectable()
  class Early implements OnModuleInit {
    constructor(private readonly producer: MqProducer) {}
    async onModuleInit(): Promise<void> {
      await this.producer.sendInTransaction('orders', { id: 'early' }, async () => 'commit');
    }
  }
  await start([Early, Checkout, Shipping]);
  await clock.advance(0);
  expect(delivered).toEqual([{ id: 'early' }]);
});

it('makes an instance for each check of a request-scoped class', async () => {
  @Injectable({ scope: Scope.REQUEST })
  class Each {
    @MqTransactionListener({ topic: 'orders', producerGroup: 'shop' })
    check(message: Message, context: TransactionCheckContext): TransactionDecision {
      asked.push({ message, context, by: this });
      return 'commit';
    }
  }
  const producer = (await start([Each])).get(MqProducer);
  for (const id of ['a', 'b']) await producer.sendInTransaction('orders', { id }, unknown, { producerGroup: 'shop' });
  await clock.advance(6000);
  expect(new Set(asked.map(({ by }) => by)).size).toBe(2);
});

it('ends the start with the name of the method when it is declared badly or for an unknown connection', async () => {
  class Bad {
    @MqTransactionListener({ topic: 'orders', maxChecks: 0 })
    check(): TransactionDecision {
      return 'commit';
    }
  }
  await expect(start([Bad])).rejects.toThrow(/Bad\.check.*maxChecks/);
  class Lost {
    @MqTransactionListener({ topic: 'orders', connection: 'reprots' })
    check(): TransactionDecision {
      return 'commit';
    }
  }
  await expect(start([Lost])).rejects.toThrow(/Lost\.check.*reprots/);
});
