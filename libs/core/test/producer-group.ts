// For specs of transactional messages: processes of one producer group on one store, on the virtual clock.
import { createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import type { TransactionReceipt } from '../src/half/local-transaction.js';
import type {
  TransactionCheck,
  TransactionCheckContext,
  TransactionListenerOptions,
} from '../src/half/transaction-listener.js';
import type { TransactionDecision } from '../src/half/half-message.js';
import type { TopicStats } from '../src/broker-admin.js';
import type { MqEventMap } from '../src/events.js';
import type { Message } from '../src/message/message.js';

export const SECOND = 1000;
export const MINUTE = 60_000;

export interface Asked {
  readonly message: Message;
  readonly context: TransactionCheckContext;
  readonly at: number;
}

export interface Producing extends TestMq {
  /** Checks that this process was asked. */
  readonly asked: Asked[];
  readonly parked: MqEventMap['half-parked'][];
  readonly checked: MqEventMap['half-checked'][];
}

export class ProducerGroup {
  readonly clock = new ManualClock();
  readonly store = new InMemoryStore({ clock: this.clock });
  /** Bodies that a consumer of the topic got. */
  readonly delivered: unknown[] = [];
  private readonly opened: TestMq[] = [];

  /** One more process; it answers as `check` says. */
  async open(
    check: TransactionCheck = says('unknown'),
    options: Partial<TransactionListenerOptions> = {},
    { consumes = true } = {},
  ): Promise<Producing> {
    const test = this.bare();
    const process: Producing = { ...test, asked: [], parked: [], checked: [] };
    test.mq.transactionListener({ topic: 'orders', ...options }, (message, context) => {
      process.asked.push({ message, context, at: this.clock.now() });
      return check(message, context);
    });
    test.mq.events.on('half-parked', (event) => void process.parked.push(event));
    test.mq.events.on('half-checked', (event) => void process.checked.push(event));
    if (consumes)
      test.mq.listen({ topic: 'orders', group: 'g' }, async ({ message }) => void this.delivered.push(message.body));
    await test.mq.start();
    return process;
  }

  /** One more process that nothing was told yet. */
  bare(): TestMq {
    const test = createTestMq({ store: this.store, clock: this.clock, shutdownTimeout: SECOND });
    this.opened.push(test);
    return test;
  }

  stats(): Promise<TopicStats> {
    return this.opened[0]!.mq.admin.stats('orders');
  }

  async close(): Promise<void> {
    const closed = Promise.all(this.opened.map(({ mq }) => mq.close()));
    await this.clock.advance(5 * MINUTE);
    await closed;
  }
}

export const says = (decision: TransactionDecision) => async (): Promise<TransactionDecision> => decision;

/** State of the receipt, or code of the error. */
export const ending = (sent: Promise<TransactionReceipt>): Promise<string> =>
  sent.then(
    ({ state }) => state,
    ({ code }: { code: string }) => code,
  );
