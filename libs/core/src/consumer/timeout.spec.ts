import { createTestMq, type TestMq } from '@millrace/testing';
import { HandlerRuns } from '../../test/handler-runs.js';
import { HandlerTimeoutError } from '../errors.js';

const LISTENER = { topic: 'orders', group: 'billing', timeout: '10s', concurrency: 1, prefetch: 0 } as const;

describe('handler time-out', () => {
  let test: TestMq;
  let runs: HandlerRuns;
  let events: string[];

  beforeEach(async () => {
    test = createTestMq();
    runs = new HandlerRuns();
    events = [];
    for (const event of ['stalled', 'retry', 'done'] as const) {
      test.mq.events.on(event, () => events.push(`${test.clock.monotonic()} ${event}`));
    }
    test.mq.listen({ ...LISTENER, backoff: { type: 'fixed', delay: '1s' } }, runs.handler);
    await test.mq.start();
    await test.mq.producer.send('orders', 1);
    await test.clock.advance(0);
  });
  afterEach(async () => {
    runs.endAll();
    const closed = test.mq.close();
    await test.clock.advance(60_000);
    await closed;
  });

  it('aborts the signal with HandlerTimeoutError when the time is over', async () => {
    const { signal } = runs.contexts[0]!;
    await test.clock.advance(9999);
    expect(signal.aborted).toBe(false);
    await test.clock.advance(1);
    expect(signal.reason).toEqual(new HandlerTimeoutError(10_000));
  });

  it('says nothing of a handler that ended in time, whatever happens later', async () => {
    await test.clock.advance(9999);
    runs.end(0);
    await test.clock.advance(60_000);
    expect(events).toEqual(['9999 done']);
    expect(runs.contexts[0]!.signal.aborted).toBe(false);
    await test.mq.producer.sendAll([2, 3].map((body) => ({ destination: 'orders', body })));
    await test.clock.advance(0);
    expect(runs.running).toBe(1);
  });

  it('still takes the result of a handler that ends within 5 s of grace', async () => {
    await test.clock.advance(14_999);
    runs.end(0);
    await test.clock.advance(0);
    expect(events).toEqual(['14999 done']);
  });

  it('counts as failure after the grace: the message comes again, the alarm is raised', async () => {
    const failed = test.mq.events.next('retry');
    await test.clock.advance(16_000);
    expect(events).toEqual(['15000 stalled', '15000 retry']);
    expect((await failed).error).toBeInstanceOf(HandlerTimeoutError);
    expect(runs.contexts[1]).toMatchObject({ attempt: 2, failures: [{ error: 'HandlerTimeoutError' }] });
  });

  it.each(['resolves', 'rejects'])('ignores a late result: the handler %s after all', async (how) => {
    await test.clock.advance(16_000);
    if (how === 'resolves') runs.end(0);
    else runs.fail(0);
    await test.clock.advance(0);
    runs.end(1);
    await test.clock.advance(5000);
    expect(events.slice(2)).toEqual(['16000 done']);
    expect(runs.contexts).toHaveLength(2);
  });

  it('gives the place of a hanging handler to the next message', async () => {
    await test.mq.producer.send('orders', 2);
    await test.clock.advance(14_999);
    expect(runs.bodies).toEqual([1]);
    await test.clock.advance(1);
    expect(runs.bodies).toEqual([1, 2]);
  });
});
