import { connectInMemory, createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import { HandlerRuns } from '../test/handler-runs.js';
import { ClosedError, InvalidOptionError, TopicError } from './errors.js';
import { Mq, MQ_DEFAULTS, type MqOptions } from './mq.js';

const LISTENER = { topic: 'orders', group: 'billing' };

describe('Mq', () => {
  let clock: ManualClock;
  let store: InMemoryStore;
  let test: TestMq;
  let opened: TestMq[];
  const handler = async (): Promise<void> => undefined;

  const open = (options: MqOptions = {}): TestMq => {
    const { clock: _, ...rest } = options;
    const opening = createTestMq({ ...rest, clock, store });
    opened.push(opening);
    return opening;
  };

  beforeEach(() => {
    clock = new ManualClock();
    store = new InMemoryStore({ clock });
    opened = [];
    test = open();
  });
  afterEach(async () => {
    const closed = opened.map(({ mq }) => mq.close());
    await clock.advance(60_000);
    await Promise.all(closed);
  });

  it.each<[unknown, string]>([
    [{ shutdowntimeout: '1s' }, "did you mean 'shutdownTimeout'"],
    [{ shutdownTimeout: 'long' }, 'mq.shutdownTimeout'],
    [{ delayLevels: [] }, 'mq.delayLevels'],
    [{ topics: [{ topic: 'or ders' }] }, 'topic'],
    [{ topics: [{ topic: 'orders', queue: 3 }] }, "did you mean 'queues'"],
  ])('refuses the options %o: %s', (options, text) => {
    const create = (): Mq => new Mq(connectInMemory({ store }), options as MqOptions);
    expect(create).toThrow(InvalidOptionError);
    expect(create).toThrow(text);
  });

  it('has the documented defaults', () => {
    expect(MQ_DEFAULTS).toMatchObject({ autoCreate: true, shutdownTimeout: '30s', topics: [], middleware: [] });
  });

  it('asks nothing of the broker before its first use', async () => {
    await clock.advance(10_000);
    expect([store.topicNames(), test.mq.health()]).toEqual([[], []]);
  });

  describe('listeners', () => {
    it('may not overlap, and both names are told', () => {
      test.mq.listen({ ...LISTENER, tags: 'a || b' }, handler, { name: 'Billing.created' });
      const listen = (): void => test.mq.listen({ ...LISTENER, tags: 'b' }, handler, { name: 'Billing.paid' });
      expect(listen).toThrow('Billing.created and Billing.paid');
      expect(() => test.mq.listen({ ...LISTENER, group: 'other', tags: 'b' }, handler)).not.toThrow();
    });

    it('are registered before the start, or between a stop and the next start', async () => {
      await test.mq.start();
      expect(() => test.mq.listen(LISTENER, handler)).toThrow(InvalidOptionError);
      await test.mq.stopConsuming();
      expect(() => test.mq.listen(LISTENER, handler)).not.toThrow();
    });
  });

  describe('start', () => {
    it('declares topics and groups', async () => {
      const { mq } = open({ topics: [{ topic: 'payments', queues: 8 }] });
      mq.listen(LISTENER, handler);
      await mq.start();
      expect(store.topicNames().toSorted()).toEqual(['orders', 'payments']);
      expect(await mq.admin.topic('payments')).toMatchObject({ queues: 8 });
      expect((await mq.admin.stats('orders')).groups).toMatchObject([{ group: 'billing' }]);
    });

    it('fails when settings in code differ from the stored ones, and can be tried again', async () => {
      await test.mq.producer.send('orders', 1);
      const { mq } = open({ topics: [{ topic: 'orders', queues: 8 }] });
      mq.listen(LISTENER, handler);
      await expect(mq.start()).rejects.toThrow(TopicError);
      await expect(mq.start()).rejects.toThrow(TopicError);
      await mq.stopConsuming();
    });

    it('can be tried again after the broker was not there', async () => {
      test.mq.listen(LISTENER, handler);
      test.ports.faults.failNext('subscribe', new Error('down'));
      await expect(test.mq.start()).rejects.toThrow('down');
      await test.mq.start();
      expect(test.mq.health().filter(({ loop }) => loop.startsWith('fetch'))).toHaveLength(1);
    });

    it('is one, however often it is called', async () => {
      const runs = new HandlerRuns();
      test.mq.listen(LISTENER, runs.handler);
      await Promise.all([test.mq.start(), test.mq.start()]);
      await test.mq.start();
      await test.mq.producer.send('orders', 1);
      await clock.advance(0);
      expect(runs.contexts).toHaveLength(1);
      expect(test.mq.health().filter(({ loop }) => loop.startsWith('fetch'))).toHaveLength(1);
      runs.endAll();
    });

    it('is not forgotten when an earlier one, stopped meanwhile, turns out to have failed', async () => {
      test.mq.listen(LISTENER, handler);
      test.ports.faults.failNext('subscribe', new Error('down'));
      const first = test.mq.start();
      const stopped = test.mq.stopConsuming();
      const second = test.mq.start();
      await expect(first).rejects.toThrow('down');
      await stopped;
      expect(test.mq.start()).toBe(second);
      await second;
      expect(test.mq.start()).toBe(second);
    });

    it('is refused after close', async () => {
      await test.mq.close();
      await expect(test.mq.start()).rejects.toThrow(ClosedError);
    });

    it('refuses topics that nobody declared when autoCreate is off', async () => {
      const { mq } = open({ autoCreate: false, topics: [{ topic: 'payments' }] });
      mq.listen(LISTENER, handler);
      await expect(mq.start()).rejects.toMatchObject({ code: 'MQ_TOPIC_NOT_FOUND' });
      expect(store.topicNames()).toEqual(['payments']);
    });
  });

  describe('upkeep', () => {
    it('promotes what a process scheduled that only sends, at its time and not before', async () => {
      const runs = new HandlerRuns();
      test.mq.listen(LISTENER, runs.handler);
      await test.mq.start();
      // Its loops stand still: the sender has to do it.
      await test.mq.stopConsuming();
      const reader = open();
      reader.mq.listen(LISTENER, runs.handler);
      await reader.mq.start();
      const sender = open();
      await sender.mq.producer.send('orders', 1, { delay: 1234 });
      await clock.advance(1233);
      expect(runs.contexts).toHaveLength(0);
      await clock.advance(1);
      expect(runs.contexts).toHaveLength(1);
      runs.endAll();
    });

    it('promotes exactly on time without a consumer: it is woken by the send', async () => {
      await test.mq.producer.send('orders', 'first');
      await clock.advance(100);
      await test.mq.producer.send('orders', 1, { delay: 3 });
      await clock.advance(2);
      expect(await test.mq.admin.stats('orders')).toMatchObject({ scheduled: 1 });
      await clock.advance(1);
      expect(await test.mq.admin.stats('orders')).toMatchObject({ scheduled: 0 });
    });

    it('runs a promoter per shard and a trimmer per topic, and tells health of them', async () => {
      const { mq } = open({ topics: [{ topic: 'orders', shards: 2 }] });
      await mq.producer.send('orders', 1);
      await mq.producer.send('orders', 2);
      await clock.advance(0);
      expect(mq.health()).toEqual([
        { loop: 'promote orders shard 0', lastSuccessAgoMs: 0, runningForMs: undefined, lastError: undefined },
        { loop: 'promote orders shard 1', lastSuccessAgoMs: 0, runningForMs: undefined, lastError: undefined },
        { loop: 'trim orders', lastSuccessAgoMs: 0, runningForMs: undefined, lastError: undefined },
        { loop: 'idle groups orders', lastSuccessAgoMs: 0, runningForMs: undefined, lastError: undefined },
      ]);
    });

    it('goes on while consuming is stopped, and ends with close', async () => {
      test.mq.listen(LISTENER, handler);
      await test.mq.start();
      await test.mq.stopConsuming();
      await test.mq.producer.send('orders', 1, { delay: '1s' });
      await clock.advance(1000);
      expect(await test.mq.admin.stats('orders')).toMatchObject({ scheduled: 0 });
      await test.mq.close();
      expect(clock.waiting).toBe(0);
    });

    it('reports an error and goes on', async () => {
      const failed = test.mq.events.next('loop-error');
      test.ports.faults.failNext('promote', new Error('down'));
      await test.mq.producer.send('orders', 1, { delay: '1s' });
      await clock.advance(1000);
      expect(await failed).toEqual({ loop: 'promote orders shard 0', error: new Error('down') });
      expect(await test.mq.admin.stats('orders')).toMatchObject({ scheduled: 0 });
    });
  });

  it('tells health of every loop of its consumers', async () => {
    test.mq.listen(LISTENER, handler);
    test.mq.listen({ topic: 'orders', group: 'shipping', mode: 'ordered' }, handler);
    await test.mq.start();
    await clock.advance(0);
    expect(test.mq.health().map(({ loop }) => loop)).toEqual([
      'watch orders/billing',
      'renew orders/billing',
      'fetch orders/billing shard 0',
      'reclaim orders/billing',
      'watch orders/shipping',
      'own orders/shipping',
      'fetch orders/shipping shard 0',
      'promote orders shard 0',
      'trim orders',
      'idle groups orders',
    ]);
  });

  it('closes once, however often it is asked to', async () => {
    await test.mq.start();
    const first = test.mq.close();
    expect(test.mq.close()).toBe(first);
    await first;
    await expect(test.ports.broker.trim('orders')).rejects.toThrow(ClosedError);
  });
});
