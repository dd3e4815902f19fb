import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectInMemory, faultyBroker, InMemoryStore, ManualClock } from '@millrace/testing';
import { deadLetter as asDeadLetter } from '../consumer/outcome.js';
import { Mq } from '../mq.js';
import type { DeadLetter } from './dead-letter.js';
import type { UntoldDeadLetter } from './dead-letter-feed.js';
import type { DeadLetterContext } from './dead-letter-listener.js';

const LETTERS = { topic: 'orders', group: 'billing' };
let opened: Mq[];
let store: InMemoryStore;

beforeEach(() => {
  opened = [];
  store = new InMemoryStore();
});
afterEach(() => Promise.all(opened.map((mq) => mq.close())));

/** One more process; `buries` says whether it consumes, and buries, what is sent. */
function open({ buries = true, ports = connectInMemory({ store }) } = {}): Mq {
  const mq = new Mq(ports, { shutdownTimeout: 100 });
  opened.push(mq);
  if (buries) mq.listen(LETTERS, async () => asDeadLetter('no'));
  return mq;
}

/** A listener that keeps what it is told of; `told(n)` resolves when that are so many. */
function notebook(act: (letter: DeadLetter, context: DeadLetterContext) => unknown = () => undefined) {
  const letters: DeadLetter[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  return {
    letters,
    told: (count: number): Promise<void> =>
      new Promise((resolve) => {
        if (letters.length >= count) return resolve();
        waiting.push({ count, resolve });
      }),
    handler: async (letter: DeadLetter, context: DeadLetterContext): Promise<void> => {
      letters.push(letter);
      for (const { count, resolve } of waiting) if (letters.length >= count) resolve();
      await act(letter, context);
    },
  };
}

describe('a dead-letter listener', () => {
  it('is told of each dead letter of its group once, with the message', async () => {
    const mq = open();
    const bodies: unknown[] = [];
    const notes = notebook((_, { message }) => bodies.push(message!.body));
    mq.listenDeadLetters(LETTERS, notes.handler);
    await mq.start();
    await mq.producer.sendAll(Array.from({ length: 12 }, (_, n) => ({ destination: 'orders', body: n })));
    await notes.told(12);
    await mq.stopConsuming();
    expect(new Set(notes.letters.map(({ messageId }) => messageId)).size).toBe(12);
    expect(notes.letters).toHaveLength(12);
    expect(notes.letters[0]).toMatchObject({ topic: 'orders', group: 'billing', reason: 'rejected', text: 'no' });
    expect(bodies.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 12 }, (_, n) => n));
  });

  it('is told of what died while no listener ran, once one had been there', async () => {
    const before = open();
    before.listenDeadLetters(LETTERS, notebook().handler);
    await before.start();
    await before.close();
    const buried = open();
    const dead = buried.events.next('dead-letter');
    await buried.start();
    await buried.producer.send('orders', 'while nobody listened');
    const { messageId } = await dead;
    const after = open({ buries: false });
    const notes = notebook();
    after.listenDeadLetters(LETTERS, notes.handler);
    await after.start();
    await notes.told(1);
    expect(notes.letters.map((letter) => letter.messageId)).toEqual([messageId]);
  });

  it('that failed is told again after its retry delay, and reported', async () => {
    const clock = new ManualClock();
    store = new InMemoryStore({ clock });
    const mq = new Mq(connectInMemory({ store }), { clock });
    opened.push(mq);
    mq.listen(LETTERS, async () => asDeadLetter('no'));
    let fails = true;
    const notes = notebook(() => {
      if (fails) throw new Error('no mail');
    });
    mq.listenDeadLetters({ ...LETTERS, retryDelay: '30s' }, notes.handler);
    const failed = mq.events.next('loop-error', ({ error }) => (error as Error).message === 'no mail');
    await mq.start();
    await mq.producer.send('orders', 1);
    expect(await failed).toMatchObject({ loop: 'dead letters of orders/billing' });
    fails = false;
    await clock.advance(29_000);
    expect(notes.letters).toHaveLength(1);
    await clock.advance(2_500);
    await notes.told(2);
  });

  it('keeps its letter while it works for longer than the lease, and another process is not told', async () => {
    const clock = new ManualClock();
    store = new InMemoryStore({ clock });
    const [here, there] = [
      new Mq(connectInMemory({ store }), { clock }),
      new Mq(connectInMemory({ store }), { clock }),
    ];
    opened.push(here, there);
    here.listen(LETTERS, async () => asDeadLetter('no'));
    let finish!: () => void;
    const slow = notebook(() => new Promise<void>((resolve) => (finish = resolve)));
    const other = notebook();
    here.listenDeadLetters({ ...LETTERS, lease: '3s' }, slow.handler);
    await here.start();
    await here.producer.send('orders', 1);
    await slow.told(1);
    there.listenDeadLetters({ ...LETTERS, lease: '3s' }, other.handler);
    await there.start();
    for (let second = 0; second < 12; second++) await clock.advance(1_000);
    finish();
    for (let second = 0; second < 12; second++) await clock.advance(1_000);
    expect([slow.letters.length, other.letters.length]).toEqual([1, 0]);
  });

  it('that ends while its lease is being renewed is not told a second time', async () => {
    const clock = new ManualClock();
    store = new InMemoryStore({ clock });
    const ports = connectInMemory({ store });
    const { deadLetters: feed } = ports;
    let [answer, renewing] = [(): void => undefined, (): void => undefined];
    const renewed = new Promise<void>((resolve) => (renewing = resolve));
    const slowFeed = {
      take: feed.take.bind(feed),
      settle: feed.settle.bind(feed),
      // Takes effect at once; its answer comes when the test says so.
      async renew(untold: UntoldDeadLetter, leaseMs: number) {
        const seen = { ...untold };
        const ours = await feed.renew(seen, leaseMs);
        renewing();
        await new Promise<void>((resolve) => (answer = resolve));
        untold.token = seen.token;
        return ours;
      },
    };
    const mq = new Mq({ ...ports, deadLetters: slowFeed }, { clock });
    opened.push(mq);
    mq.listen(LETTERS, async () => asDeadLetter('no'));
    let finish!: () => void;
    const notes = notebook(() => new Promise<void>((resolve) => (finish = resolve)));
    mq.listenDeadLetters({ ...LETTERS, lease: '3s' }, notes.handler);
    await mq.start();
    await mq.producer.send('orders', 1);
    await notes.told(1);
    await clock.advance(1_100);
    await renewed;
    finish();
    await clock.advance(0);
    answer();
    for (let second = 0; second < 8; second++) await clock.advance(1_000);
    expect(notes.letters).toHaveLength(1);
  });

  it('whose letter was redriven meanwhile gets its signal aborted', async () => {
    const clock = new ManualClock();
    store = new InMemoryStore({ clock });
    const mq = new Mq(connectInMemory({ store }), { clock });
    opened.push(mq);
    mq.listen(LETTERS, async () => asDeadLetter('no'));
    let signal!: AbortSignal;
    const notes = notebook((_, context) => {
      signal = context.signal;
      return new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
    });
    mq.listenDeadLetters({ ...LETTERS, lease: '3s' }, notes.handler);
    await mq.start();
    await mq.producer.send('orders', 1);
    await notes.told(1);
    await mq.admin.purgeDeadLetters('orders', 'billing', [notes.letters[0]!.name]);
    await clock.advance(1_500);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'MQ_LEASE_LOST' });
  });

  it('runs no more handlers at once than it may', async () => {
    const mq = open();
    let [now, most] = [0, 0];
    const release: (() => void)[] = [];
    const notes = notebook(async () => {
      most = Math.max(most, ++now);
      await new Promise<void>((resolve) => release.push(resolve));
      now--;
    });
    mq.listenDeadLetters({ ...LETTERS, concurrency: 2 }, notes.handler);
    await mq.start();
    await mq.producer.sendAll(Array.from({ length: 5 }, (_, n) => ({ destination: 'orders', body: n })));
    for (let told = 2; told <= 5; told++) {
      await notes.told(told);
      release.shift()!();
    }
    for (const free of release) free();
    expect(most).toBe(2);
  });

  it('goes on when the broker fails', async () => {
    const ports = faultyBroker(connectInMemory({ store }));
    const mq = open({ ports: ports as never });
    const notes = notebook();
    mq.listenDeadLetters(LETTERS, notes.handler);
    await mq.start();
    ports.faults.failNext('deadLetters.take', new Error('down'), { times: 2 });
    await mq.producer.send('orders', 1);
    await notes.told(1);
    expect(notes.letters).toHaveLength(1);
  });

  it('is refused with a bad option, twice for one group, or after the start', async () => {
    const mq = open({ buries: false });
    const refused = { code: 'MQ_INVALID_OPTION' };
    const listen = (options: object) => () => mq.listenDeadLetters({ ...LETTERS, ...options }, () => undefined);
    for (const bad of [{ topic: 'a b' }, { group: '' }, { concurrency: 0 }, { lease: 10 }, { retry: 1 }])
      expect(listen(bad)).toThrow(expect.objectContaining(refused));
    listen({})();
    expect(listen({})).toThrow(expect.objectContaining(refused));
    await mq.start();
    expect(listen({ group: 'other' })).toThrow(expect.objectContaining(refused));
  });
});
