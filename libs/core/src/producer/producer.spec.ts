import { ManualClock } from '@millrace/testing';
import type { Broker } from '../broker.js';
import { DEFAULT_DELAY_LEVELS } from '../delay/delay-levels.js';
import { BrokerRefusedError, ClosedError, InvalidOptionError, TopicError } from '../errors.js';
import type { OutgoingMessage } from '../message/message.js';
import { TopicRegistry } from '../topic-registry.js';
import type { TopicSpec } from '../topic.js';
import { Producer } from './producer.js';
import type { SendResult } from './receipt.js';

/** Answers every call at once and keeps what it was given. */
class FakeBroker {
  readonly declared: TopicSpec[] = [];
  readonly batches: OutgoingMessage[][] = [];
  readonly moved: unknown[] = [];
  /** What the next declarations do instead of answering. */
  readonly declareWith: (() => Promise<TopicSpec>)[] = [];
  results?: SendResult[];

  async declareTopic(spec: TopicSpec): Promise<TopicSpec> {
    this.declared.push(spec);
    return (await this.declareWith.shift()?.()) ?? spec;
  }

  async send(batch: readonly OutgoingMessage[]): Promise<SendResult[]> {
    this.batches.push([...batch]);
    return this.results ?? batch.map(({ messageId, topic }) => receipt(messageId, topic));
  }

  async cancel(...args: unknown[]): Promise<string> {
    this.moved.push(args);
    return 'cancelled';
  }

  async reschedule(...args: unknown[]): Promise<string> {
    this.moved.push(args);
    return 'rescheduled';
  }

  get bodies(): unknown[] {
    return this.batches.flat().map(({ body }) => JSON.parse(body.toString()) as unknown);
  }
}

const receipt = (messageId: string, topic = 'orders'): SendResult => {
  return { ok: true, receipt: { messageId, topic, queue: 0, duplicate: false, state: 'accepted' } };
};

describe('producer', () => {
  let broker: FakeBroker;
  let topics: TopicRegistry;
  let producer: Producer;
  let declared: string[];
  const clock = new ManualClock();

  beforeEach(() => {
    broker = new FakeBroker();
    declared = [];
    topics = new TopicRegistry(broker as unknown as Broker, true, ({ topic }) => declared.push(topic));
    const delayLevels = DEFAULT_DELAY_LEVELS;
    producer = new Producer({ broker: broker as unknown as Broker, topics, clock, delayLevels });
  });

  it('gives the receipt of what the broker stored', async () => {
    const { messageId, topic } = await producer.send('orders:created', { id: 1 });
    expect(broker.batches).toEqual([[expect.objectContaining({ messageId, topic, tag: 'created' })]]);
  });

  it('rejects with the error of a refused send', async () => {
    const error = new BrokerRefusedError('full', 'MQ_OUT_OF_MEMORY');
    broker.results = [{ ok: false, error }];
    await expect(producer.send('orders', 1)).rejects.toBe(error);
  });

  it('declares a topic with its first use, once', async () => {
    await Promise.all([producer.send('orders', 1), producer.send('orders:paid', 2), producer.send('orders', 3)]);
    await producer.send('orders', 4);
    expect(broker.declared).toHaveLength(1);
    expect(declared).toEqual(['orders']);
  });

  it('asks again after a declaration that failed', async () => {
    broker.declareWith.push(() => Promise.reject(new TopicError('orders', 'conflict')));
    await expect(producer.send('orders', 1)).rejects.toThrow('conflict');
    await producer.send('orders', 2);
    expect([broker.declared.length, broker.bodies]).toEqual([2, [2]]);
  });

  it('keeps the order of sends made before the topic was known', async () => {
    let answer!: (spec: TopicSpec) => void;
    broker.declareWith.push(() => new Promise((resolve) => (answer = resolve)));
    const sent = [producer.send('orders', 1), producer.sendAll([{ destination: 'orders', body: 2 }])];
    await Promise.resolve();
    sent.push(producer.send('orders', 3));
    answer(broker.declared[0]!);
    // As soon as the settings are known a send could overtake those that waited for them.
    await topics.declare('orders');
    sent.push(producer.send('orders', 4));
    await Promise.all(sent);
    expect(broker.bodies).toEqual([1, 2, 3, 4]);
  });

  it('keeps that order also behind a batch that waits for another topic', async () => {
    let answer!: (spec: TopicSpec) => void;
    broker.declareWith.push(
      async () => broker.declared[0]!,
      () => new Promise((resolve) => (answer = resolve)),
    );
    const batch = producer.sendAll([
      { destination: 'orders', body: 1 },
      { destination: 'payments', body: 2 },
    ]);
    const single = producer.send('orders', 3);
    await topics.declare('orders');
    const late = producer.send('orders', 4);
    answer(broker.declared[1]!);
    await Promise.all([batch, single, late]);
    expect(broker.bodies).toEqual([1, 2, 3, 4]);
  });

  it('sends what the body was at the call, even when the topic has to be declared first', async () => {
    const body = { total: 1 };
    const sent = producer.send('orders', body);
    body.total = 2;
    await sent;
    expect(broker.bodies).toEqual([{ total: 1 }]);
  });

  it('refuses bad input before anything is stored, known topic or not', async () => {
    await expect(producer.send('or ders', 1)).rejects.toThrow(InvalidOptionError);
    await expect(producer.send('orders', undefined)).rejects.toThrow(InvalidOptionError);
    expect(broker.declared).toEqual([]);
    await producer.send('orders', 1);
    await expect(producer.send('orders', 2, { delay: '1s', delayLevel: 1 })).rejects.toThrow(InvalidOptionError);
    expect(broker.bodies).toEqual([1]);
  });

  it('measures delays by the maxDelay of the topic, on its first use too', async () => {
    topics.add({ topic: 'orders', maxDelay: '1h' });
    await expect(producer.send('orders', 1, { delay: '61m' })).rejects.toThrow('maxDelay of 3600000 ms');
    await expect(producer.send('orders', 1, { delay: '61m' })).rejects.toThrow('maxDelay of 3600000 ms');
    await producer.send('orders', 2, { delay: '60m' });
    expect(broker.bodies).toEqual([2]);
  });

  it('refuses everything after close', async () => {
    producer.close();
    await expect(producer.send('orders', 1)).rejects.toThrow(ClosedError);
    await expect(producer.sendAll([])).rejects.toThrow(ClosedError);
    await expect(producer.cancel('orders', { messageId: 'm' })).rejects.toThrow(ClosedError);
    await expect(producer.reschedule('orders', { messageId: 'm' }, { delay: 1 })).rejects.toThrow(ClosedError);
    expect(broker.declared).toEqual([]);
  });

  it('refuses a send that is closed while its topic is being declared', async () => {
    const sent = producer.send('orders', 1);
    producer.close();
    await expect(sent).rejects.toThrow(ClosedError);
    expect(broker.batches).toEqual([]);
  });

  describe('sendAll', () => {
    it('sends one batch and gives one result per message, order kept', async () => {
      const error = new BrokerRefusedError('full', 'MQ_OUT_OF_MEMORY');
      broker.results = [receipt('a'), { ok: false, error }, receipt('c', 'payments')];
      const results = await producer.sendAll([
        { destination: 'orders', body: 1 },
        { destination: 'orders:paid', body: 2 },
        { destination: 'payments', body: 3, options: { keys: ['k'] } },
      ]);
      expect(results).toEqual(broker.results);
      expect(broker.batches.map((batch) => batch.length)).toEqual([3]);
    });

    it.each([
      ['a bad body', { destination: 'orders', body: undefined }],
      ['a bad destination', { destination: 'or ders', body: 1 }],
      ['a bad option', { destination: 'orders', body: 1, options: { dely: 1 } }],
      ['an unknown field', { destination: 'orders', body: 1, option: {} }],
      ['a delay beyond the maximum', { destination: 'orders', body: 1, options: { delay: '366d' } }],
      ['no request', null],
    ])('stores nothing when one of the requests has %s', async (_, bad) => {
      const requests = [{ destination: 'orders', body: 1 }, bad as { destination: string; body: unknown }];
      await expect(producer.sendAll(requests)).rejects.toThrow(InvalidOptionError);
      await producer.sendAll([{ destination: 'orders', body: 'known now' }]);
      await expect(producer.sendAll(requests)).rejects.toThrow(InvalidOptionError);
      expect(broker.bodies).toEqual(['known now']);
    });

    it('sends the others when one topic cannot be declared', async () => {
      const error = new TopicError('orders', 'conflict');
      broker.declareWith.push(() => Promise.reject(error));
      const results = await producer.sendAll([
        { destination: 'orders', body: 1 },
        { destination: 'payments', body: 2 },
        { destination: 'orders', body: 3 },
      ]);
      const refused = { ok: false, error };
      expect(results).toEqual([refused, expect.objectContaining({ ok: true }), refused]);
      expect(broker.bodies).toEqual([2]);
    });

    it('of nothing is nothing', async () => {
      expect(await producer.sendAll([])).toEqual([]);
    });
  });

  describe('cancel and reschedule', () => {
    it('pass reference and due time on, a past instant as now', async () => {
      const ref = { idempotencyKey: 'i', orderingKey: 'o' };
      expect(await producer.cancel('orders', ref)).toBe('cancelled');
      expect(await producer.reschedule('orders', ref, { delay: '5s' })).toBe('rescheduled');
      await producer.reschedule('orders', ref, { deliverAt: new Date(clock.now() + 9) });
      await producer.reschedule('orders', ref, { deliverAt: new Date(clock.now() - 9) });
      expect(broker.moved).toEqual([
        ['orders', ref],
        ['orders', ref, { delayMs: 5000 }],
        ['orders', ref, { atMs: clock.now() + 9 }],
        ['orders', ref, { delayMs: 0 }],
      ]);
    });

    it.each([
      [{}],
      [{ messageId: 'm', idempotencyKey: 'i' }],
      [{ messageId: '' }],
      [{ idempotencyKey: 'i', orderingkey: 'o' }],
      [null],
    ])('refuse the reference %o', async (ref) => {
      await expect(producer.cancel('orders', ref as never)).rejects.toThrow(InvalidOptionError);
      await expect(producer.reschedule('orders', ref as never, { delay: 1 })).rejects.toThrow(InvalidOptionError);
      expect(broker.moved).toEqual([]);
    });

    it.each([[{}], [{ delay: 1, deliverAt: new Date() }], [{ delay: 'x' }], [{ delayLevel: 1 }], [{ delay: '366d' }]])(
      'refuse the due time %o',
      async (due) => {
        const moved = producer.reschedule('orders', { messageId: 'm' }, due as never);
        await expect(moved).rejects.toThrow(InvalidOptionError);
        expect(broker.moved).toEqual([]);
      },
    );
  });
});

describe('topics of a process', () => {
  const broker = new FakeBroker() as unknown as Broker & FakeBroker;
  const create = (autoCreate: boolean): TopicRegistry => new TopicRegistry(broker, autoCreate, () => undefined);

  it('may be declared twice alike, not differently', () => {
    const topics = create(true);
    topics.add({ topic: 'orders', queues: 8 });
    topics.add({ topic: 'orders', queues: 8 });
    expect(() => topics.add({ topic: 'orders', queues: 4 })).toThrow('declared twice');
  });

  it('cannot be declared after their first use', async () => {
    const topics = create(true);
    await topics.declare('orders');
    expect(() => topics.add({ topic: 'orders', queues: 8 })).toThrow('in use already');
  });

  it('are created when declared; others only with autoCreate', async () => {
    const topics = create(false);
    topics.add({ topic: 'declared' });
    await topics.declare('declared');
    await topics.declare('met');
    await create(true).declare('met');
    expect(broker.declared.slice(-3).map(({ topic, autoCreate }) => [topic, autoCreate])).toEqual([
      ['declared', true],
      ['met', false],
      ['met', true],
    ]);
  });
});
