// Who is asked about half messages, and what becomes of the answers, on the virtual clock.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ManualClock } from '@millrace/testing';
import { MINUTE, ProducerGroup, says, SECOND } from '../../test/producer-group.js';
import { BrokerRefusedError } from '../errors.js';
import type { TransactionDecision } from './half-message.js';
import type { TransactionListenerOptions } from './transaction-listener.js';

let group: ProducerGroup;
let clock: ManualClock;
let delivered: unknown[];

beforeEach(() => {
  group = new ProducerGroup();
  ({ clock, delivered } = group);
});

afterEach(() => group.close());

const open = (...how: Parameters<ProducerGroup['open']>) => group.open(...how);

describe('a transaction listener', () => {
  it('of several processes one is asked each time', async () => {
    const quiet = () => open(says('unknown'), { maxChecks: 3 }, { consumes: false });
    const processes = [await quiet(), await quiet(), await quiet()];
    for (let n = 0; n < 10; n++) await processes[0]!.mq.producer.sendInTransaction('orders', n, says('unknown'));
    await clock.advance(6 * SECOND + 2 * MINUTE);
    const asked = processes.flatMap((process) => process.asked);
    expect(asked).toHaveLength(30);
    for (const body of Array.from({ length: 10 }, (_, n) => n)) {
      const counts = asked.filter(({ message }) => message.body === body).map(({ context }) => context.checks);
      expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 3 }, (_, n) => n + 1));
    }
    await clock.advance(MINUTE);
    expect(processes.flatMap(({ parked }) => parked)).toHaveLength(10);
  });

  it('that throws, or says something else, is asked again, and the error is reported', async () => {
    const answers = [
      () => {
        throw new Error('no database');
      },
      () => 'perhaps',
      () => 'commit',
    ] as (() => TransactionDecision)[];
    const { mq, checked, drain } = await open(async () => answers.shift()!());
    const errors: unknown[] = [];
    mq.events.on('loop-error', ({ error }) => void errors.push(error));
    await mq.producer.sendInTransaction('orders', 1, says('unknown'));
    await clock.advance(3 * MINUTE);
    await drain();
    expect(checked.map(({ decision, error }) => [decision, (error as Error | undefined)?.message])).toEqual([
      ['unknown', 'no database'],
      ['unknown', expect.stringContaining('perhaps')],
      ['commit', undefined],
    ]);
    expect(errors).toHaveLength(2);
    expect(delivered).toEqual([1]);
  });

  it('that does not answer before the next check is given up, its signal aborts, and others are asked meanwhile', async () => {
    const hung: AbortSignal[] = [];
    const { mq, checked } = await open(async (message, { signal }) => {
      if (message.body !== 'hangs') return 'commit';
      hung.push(signal);
      return new Promise(() => undefined);
    });
    await mq.producer.sendInTransaction('orders', 'hangs', says('unknown'));
    await mq.producer.sendInTransaction('orders', 'quick', says('unknown'));
    await clock.advance(6 * SECOND);
    expect(delivered).toEqual(['quick']);
    expect(hung.map(({ aborted }) => aborted)).toEqual([false]);
    await clock.advance(MINUTE);
    expect(hung.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(checked.at(-1)).toMatchObject({ decision: 'unknown', error: { code: 'MQ_HANDLER_TIMEOUT' } });
  });

  it('runs no more checks at once than its concurrency, and gets to all', async () => {
    let [running, most] = [0, 0];
    const { mq, asked } = await open(
      async () => {
        most = Math.max(most, ++running);
        await clock.wait(100);
        running--;
        return 'commit';
      },
      { concurrency: 2 },
    );
    for (let n = 0; n < 7; n++) await mq.producer.sendInTransaction('orders', n, says('unknown'));
    await clock.advance(8 * SECOND);
    expect({ most, asked: asked.length }).toEqual({ most: 2, asked: 7 });
    expect(await group.stats()).toMatchObject({ half: 0 });
  });

  it('answers where nothing is consumed, also without a start, and while consuming is stopped', async () => {
    const test = group.bare();
    test.mq.transactionListener({ topic: ['orders', 'parcels'] }, says('commit'));
    await test.mq.producer.sendInTransaction('parcels', 1, says('unknown'));
    await test.mq.stopConsuming();
    await clock.advance(6 * SECOND);
    expect(await test.mq.admin.stats('parcels')).toMatchObject({ half: 0, accepted: 1 });
  });

  it('a close waits for a check that runs, and its answer counts', async () => {
    const { mq } = await open(
      async () => {
        await clock.wait(500);
        return 'commit';
      },
      {},
      { consumes: false },
    );
    await mq.producer.sendInTransaction('orders', 1, says('unknown'));
    await clock.advance(6 * SECOND);
    const closed = mq.close();
    await clock.advance(SECOND);
    await closed;
    expect(await group.bare().mq.admin.stats('orders')).toMatchObject({ half: 0, accepted: 1 });
  });

  it('is seen in health, and goes on after the broker was away', async () => {
    const { mq, ports, drain } = await open(says('commit'));
    await mq.producer.sendInTransaction('orders', 1, says('unknown'));
    ports.faults.failNext('half.takeChecks', new BrokerRefusedError('away', 'MQ_UNAVAILABLE'), { times: 3 });
    await clock.advance(SECOND);
    const loop = () => mq.health().find(({ loop: name }) => name === 'check-back of orders/producers');
    expect(loop()).toMatchObject({ lastError: expect.any(BrokerRefusedError) });
    await clock.advance(10 * SECOND);
    await drain();
    expect(loop()).toMatchObject({ lastError: undefined });
    expect(delivered).toEqual([1]);
  });
});

describe('bad input', () => {
  it('of a transactional send is refused before anything is stored or run', async () => {
    const { mq } = await open();
    let ran = false;
    const run = async () => ((ran = true), 'commit' as const);
    const { producer } = mq;
    const bad: [Promise<unknown>, string][] = [
      [producer.sendInTransaction('orders', 1, run, { producerGroup: 'nobody' }), 'sendInTransaction.producerGroup'],
      [producer.sendInTransaction('parcels', 1, run), 'sendInTransaction.producerGroup'],
      [producer.sendInTransaction('orders', 1, run, { checkAfter: '10ms' }), 'sendInTransaction.checkAfter'],
      [producer.sendInTransaction('orders', 1, run, { dealy: 1 } as object), 'send.dealy'],
      [producer.sendInTransaction('orders', 1, run, { delay: '400d' }), 'send.delay'],
      [producer.sendInTransaction('orders', 1, run, { delay: 1, delayLevel: 1 }), 'send.delay'],
      [producer.sendInTransaction('orders', 1, run, 'x' as never), 'send'],
      [producer.sendInTransaction('orders', undefined, run), 'body'],
      [producer.sendInTransaction('orders', 1, 'commit' as never), 'sendInTransaction.localTransaction'],
    ];
    for (const [sent, option] of bad) await expect(sent).rejects.toMatchObject({ option });
    expect(ran).toBe(false);
    expect(await group.stats()).toMatchObject({ accepted: 0 });
  });

  it('of a transaction listener names the option', () => {
    const { mq } = group.bare();
    const bad: [object, string][] = [
      [{}, 'transactionListener.topic'],
      [{ topic: [] }, 'transactionListener.topic'],
      [{ topic: 'no spaces' }, 'transactionListener.topic'],
      [{ topic: 'a', producerGroup: '' }, 'transactionListener.producerGroup'],
      [{ topic: 'a', checkAfter: 10 }, 'transactionListener.checkAfter'],
      [{ topic: 'a', checkInterval: 'soon' }, 'transactionListener.checkInterval'],
      [{ topic: 'a', maxChecks: 0 }, 'transactionListener.maxChecks'],
      [{ topic: 'a', concurrency: 101 }, 'transactionListener.concurrency'],
      [{ topic: 'a', maxCheck: 1 }, 'transactionListener.maxCheck'],
    ];
    for (const [options, option] of bad) {
      const add = () => mq.transactionListener(options as TransactionListenerOptions, says('commit'));
      expect(add).toThrow(expect.objectContaining({ option }));
    }
    mq.transactionListener({ topic: ['a', 'b'] }, says('commit'));
    expect(() => mq.transactionListener({ topic: 'b' }, says('commit'))).toThrow(/already/);
    mq.transactionListener({ topic: 'b', producerGroup: 'other' }, says('commit'));
  });
});
