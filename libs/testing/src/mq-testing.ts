// Testing listeners and senders without waiting: an Mq in memory or on Redis, on a clock that the test moves.
import { Mq, type MqOptions } from '@millrace/core';
import { createTestBroker, type TestBroker, type TestBrokerOptions } from './test-broker.js';

export interface TestMqOptions extends Omit<MqOptions, 'clock'>, TestBrokerOptions {}

export interface TestMq extends TestBroker {
  /** Not started: register listeners first, then `await mq.start()`. Close it at the end of the test. */
  readonly mq: Mq;
}

/**
 * ```ts
 * const { mq, clock, drain, deadLetters } = createTestMq();
 * mq.listen({ topic: 'orders', group: 'billing' }, handler);
 * await mq.start();
 * await mq.producer.send('orders', { id: 1 }, { delay: '30m' });
 * await clock.advance(30 * 60_000);
 * await drain();
 * ```
 *
 * With `connection: 'redis://…'` the same spec runs on a real server. Throws InvalidOptionError.
 */
export function createTestMq(options: TestMqOptions = {}): TestMq {
  const { clock: given, store, connection, namespace, ...mqOptions } = options;
  const broker = createTestBroker({ clock: given, store, connection, namespace });
  const mq = new Mq(broker.ports, { ...mqOptions, clock: broker.clock });
  return {
    ...broker,
    mq,
    close: async () => {
      await mq.close();
      await broker.close();
    },
  };
}
