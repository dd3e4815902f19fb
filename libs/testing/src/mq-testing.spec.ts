import { afterEach, describe, expect, it } from '@jest/globals';
import { retryLater } from '@millrace/core';
import { InMemoryStore } from './in-memory/in-memory-store.js';
import { ManualClock } from './manual-clock.js';
import { createTestMq, type TestMq, type TestMqOptions } from './mq-testing.js';

const MINUTE = 60_000;

describe('createTestMq', () => {
  const opened: TestMq[] = [];
  const create = (options?: TestMqOptions): TestMq => {
    const test = createTestMq(options);
    opened.push(test);
    return test;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ mq }) => mq.close()));
  });

  it('handles what was sent', async () => {
    const { mq, drain } = create();
    const handled: unknown[] = [];
    mq.listen({ topic: 'orders', group: 'billing' }, async ({ message }) => handled.push(message.body));
    await mq.start();
    await mq.producer.send('orders', { id: 1 });
    await mq.producer.send('orders', { id: 2 });
    await drain();
    expect(handled).toEqual(expect.arrayContaining([{ id: 1 }, { id: 2 }]));
    expect(handled).toHaveLength(2);
  });

  it('shows what was sent, decoded, without duplicates', async () => {
    const { mq, sent } = create();
    await mq.producer.send('orders:created', { id: 1 }, { keys: ['o-1'], headers: { a: 'b' }, idempotencyKey: 'k' });
    await mq.producer.send('orders:created', { id: 1 }, { idempotencyKey: 'k' });
    await mq.producer.send('orders', Buffer.from('raw'), { delay: '1m' });
    await mq.producer.send('other', null);
    expect(sent('orders')).toMatchObject([
      { topic: 'orders', tag: 'created', keys: ['o-1'], headers: { a: 'b' }, body: { id: 1 } },
      { body: Buffer.from('raw'), dueAt: new Date(Date.UTC(2026, 0, 1, 0, 1)) },
    ]);
    expect(sent('orders')).toHaveLength(2);
  });

  it('delivers a delayed message when the clock gets there, and not before', async () => {
    const { mq, clock, drain } = create();
    const handledAt: number[] = [];
    mq.listen({ topic: 'orders', group: 'time-out' }, async () => handledAt.push(clock.monotonic()));
    await mq.start();
    await mq.producer.send('orders', { id: 1 }, { delay: '30m' });
    await clock.advance(30 * MINUTE - 1);
    await drain();
    expect(handledAt).toEqual([]);
    await clock.advance(1);
    await drain();
    expect(handledAt).toEqual([30 * MINUTE]);
  });

  it('goes through a whole ladder of retries at exact times, to the dead letters', async () => {
    const { mq, clock, drain, deadLetters } = create();
    const triedAt: number[] = [];
    mq.listen({ topic: 'orders', group: 'billing', maxAttempts: 5 }, async () => {
      triedAt.push(clock.monotonic() / 1000);
      throw new TypeError('no price');
    });
    await mq.start();
    await mq.producer.send('orders', { id: 1 });
    await clock.advance(10 * MINUTE);
    await drain();
    expect(triedAt).toEqual([0, 10, 40, 100, 220]);
    const [letter] = await deadLetters('orders', 'billing');
    expect(letter).toMatchObject({ reason: 'attempts-exhausted', state: { attempt: 5 }, message: { body: { id: 1 } } });
    expect(letter!.state.failures.map(({ error }) => error)).toEqual(Array.from({ length: 5 }, () => 'TypeError'));
  });

  it('drains without moving the clock: what waits for its next attempt stays', async () => {
    const { mq, clock, drain, ports } = create();
    mq.listen({ topic: 'orders', group: 'billing' }, async () => retryLater('1m'));
    await mq.start();
    await mq.producer.send('orders', 1);
    await drain();
    expect(clock.monotonic()).toBe(0);
    expect((await ports.admin.stats('orders')).groups).toMatchObject([{ ready: 0, leased: 0, retrying: 1 }]);
  });

  it('waits for handlers that do something outside, and for what they send on', async () => {
    const { mq, drain } = create();
    const handled: unknown[] = [];
    mq.listen({ topic: 'orders', group: 'billing' }, async ({ message }) => {
      await new Promise((resolve) => setImmediate(resolve));
      await mq.producer.send('invoices', message.body);
    });
    mq.listen({ topic: 'invoices', group: 'mail' }, async ({ message }) => handled.push(message.body));
    await mq.start();
    await mq.producer.send('orders', 'a');
    await drain();
    expect(handled).toEqual(['a']);
  });

  it('says what is left when it cannot drain', async () => {
    const { mq, drain } = create({ shutdownTimeout: 0 });
    mq.listen({ topic: 'orders', group: 'billing' }, ({ signal }) => {
      return new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    await mq.start();
    await mq.producer.send('orders', 1);
    await expect(drain({ withinMs: 30 })).rejects.toThrow('orders/billing: 0 ready, 1 being handled');
  });

  it('lets two of them share a store, as processes share a server', async () => {
    const clock = new ManualClock();
    const store = new InMemoryStore({ clock });
    const [producer, consumer] = [create({ clock, store }), create({ clock, store })];
    const handled: unknown[] = [];
    consumer.mq.listen({ topic: 'orders', group: 'billing' }, async ({ message }) => handled.push(message.body));
    await consumer.mq.start();
    await producer.mq.producer.send('orders', 'a');
    await producer.drain();
    expect(handled).toEqual(['a']);
    expect([producer.sent('orders').length, consumer.sent('orders').length]).toEqual([1, 0]);
  });

  it('can make a call of the broker fail', async () => {
    const { mq, ports, sent } = create();
    await mq.producer.send('orders', 'a');
    ports.faults.failNext('send', new Error('down'));
    await expect(mq.producer.send('orders', 'b')).rejects.toThrow('down');
    expect(sent('orders').map(({ body }) => body)).toEqual(['a']);
  });

  it('keeps the order of a key in an ordered group, and blocks that key only', async () => {
    const { mq, clock, drain } = create();
    const handled: unknown[] = [];
    let failed = false;
    mq.listen({ topic: 'orders', group: 'ledger', mode: 'ordered' }, async ({ message }) => {
      if (message.body === 'a1' && !failed) {
        failed = true;
        throw new Error('once');
      }
      handled.push(message.body);
    });
    await mq.start();
    for (const body of ['a1', 'b1', 'a2', 'b2']) await mq.producer.send('orders', body, { orderingKey: body[0]! });
    await clock.advance(500);
    expect(handled).toEqual(['b1', 'b2']);
    await clock.advance(1000);
    await drain();
    expect(handled).toEqual(['b1', 'b2', 'a1', 'a2']);
  });
});
