import { createTestMq, type TestMq } from '@millrace/testing';
import { HandlerRuns } from '../../test/handler-runs.js';
import type { MqOptions } from '../mq.js';
import type { SendOptions } from '../producer/send-options.js';
import type { ListenerOptions } from './listener-options.js';

const TOPIC = 'orders';
const GROUP = 'billing';

describe('time to live', () => {
  let test: TestMq;
  let runs: HandlerRuns;

  async function start(listener: Partial<ListenerOptions> = {}, options: MqOptions = {}): Promise<void> {
    test = createTestMq(options as object);
    runs = new HandlerRuns();
    test.mq.listen({ topic: TOPIC, group: GROUP, concurrency: 1, ...listener }, runs.handler);
    await test.mq.start();
  }
  afterEach(async () => {
    runs.endAll();
    const closed = test.mq.close();
    await test.clock.advance(60_000);
    await closed;
  });

  const send = async (body: unknown, options?: SendOptions): Promise<void> => {
    await test.mq.producer.send(TOPIC, body, options);
    await test.clock.advance(0);
  };
  const advance = (ms: number): Promise<void> => test.clock.advance(ms);
  const dead = async () =>
    (await test.deadLetters(TOPIC, GROUP)).map(({ message, reason, state }) => [message!.body, reason, state.attempt]);
  const stats = async () => (await test.mq.admin.stats(TOPIC)).groups[0]!;

  it('that is over makes a dead letter, and the handler never sees the message', async () => {
    await start();
    await send('busy');
    await send('late', { ttl: '1s' });
    const letter = test.mq.events.next('dead-letter');
    await advance(1001);
    runs.end(0);
    await advance(0);
    expect(await letter).toMatchObject({ reason: 'expired', text: expect.stringContaining('1000 ms') });
    expect([runs.bodies, await dead()]).toEqual([['busy'], [['late', 'expired', 1]]]);
  });

  it('that is just not over yet changes nothing', async () => {
    await start();
    await send('busy');
    await send('in time', { ttl: '1s' });
    await advance(1000);
    runs.end(0);
    await advance(0);
    expect(runs.bodies).toEqual(['busy', 'in time']);
  });

  it('is asked at the start only: a handler that runs for longer ends as always', async () => {
    await start();
    await send('long', { ttl: '1s' });
    await advance(5000);
    runs.end(0);
    await advance(0);
    expect(await stats()).toMatchObject({ done: 1, dead: 0 });
  });

  it('of a delayed message counts from when it is due', async () => {
    await start();
    await send('delayed', { ttl: '1s', delay: '1h' });
    await advance(3_600_000);
    expect(runs.bodies).toEqual(['delayed']);
  });

  it('is not prolonged by retries', async () => {
    await start({ backoff: { type: 'fixed', delay: '10s' } });
    await send('flaky', { ttl: '15s' });
    runs.fail(0);
    await advance(10_000);
    expect(runs.contexts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    runs.fail(1);
    await advance(10_000);
    expect([runs.contexts.length, await dead()]).toEqual([2, [['flaky', 'expired', 3]]]);
  });

  it('begins anew with a redrive', async () => {
    await start();
    await send('busy');
    await send('late', { ttl: '1s' });
    await advance(5000);
    runs.end(0);
    await advance(0);
    expect(await dead()).toHaveLength(1);
    await advance(60_000);
    await test.mq.admin.redrive(TOPIC, GROUP, { max: 1 });
    await advance(0);
    expect(runs.bodies).toEqual(['busy', 'late']);
    expect(runs.contexts[1]).toMatchObject({ generation: 1, attempt: 1 });
  });

  it('of an ordered message is looked at in its turn, and the next one of its key follows', async () => {
    await start({ mode: 'ordered', concurrency: 5 });
    const orderingKey = 'k';
    await send('first', { orderingKey });
    await send('late', { orderingKey, ttl: '1s' });
    await send('next', { orderingKey });
    await advance(2000);
    expect([runs.bodies, await dead()]).toEqual([['first'], []]);
    runs.end(0);
    await advance(0);
    expect([runs.bodies, await dead()]).toEqual([['first', 'next'], [['late', 'expired', 1]]]);
  });

  it('that is over drops the message and counts it, if the listener says so', async () => {
    await start({ onExpired: 'drop' });
    await send('busy');
    await send('late', { ttl: '1s' });
    await advance(2000);
    const expired = test.mq.events.next('expired');
    runs.end(0);
    await advance(0);
    expect(await expired).toMatchObject({ topic: TOPIC, group: GROUP, attempt: 1 });
    expect([runs.bodies, await dead()]).toEqual([['busy'], []]);
    expect(await stats()).toMatchObject({ done: 1, expired: 1, skipped: 0, dead: 0, leased: 0 });
  });

  it('of the topic holds for messages without one of their own', async () => {
    await start({}, { topics: [{ topic: TOPIC, ttl: '1s' }] });
    await send('busy');
    await send('late');
    await send('patient', { ttl: '1h' });
    await advance(2000);
    runs.end(0);
    await advance(0);
    expect([runs.bodies, await dead()]).toEqual([['busy', 'patient'], [['late', 'expired', 1]]]);
  });

  it('needs a ms at least, and two known ways to end', async () => {
    await start();
    await expect(test.mq.producer.send(TOPIC, 1, { ttl: 0 })).rejects.toMatchObject({ option: 'send.ttl' });
    await expect(test.mq.producer.send(TOPIC, 1, { ttl: 'soon' })).rejects.toMatchObject({ option: 'send.ttl' });
    const onExpired = 'forget' as 'drop';
    expect(() => test.mq.listen({ topic: TOPIC, group: 'other', onExpired }, runs.handler)).toThrow(
      expect.objectContaining({ option: 'listener.onExpired' }),
    );
  });
});
