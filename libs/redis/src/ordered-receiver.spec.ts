// Which calls a reader of owned queues makes, and when it stops making them.
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { QueueLease, Subscription } from '@millrace/core';
import type { BlockingReader } from './blocking-reader.js';
import type { Caller } from './caller.js';
import type { Connections } from './connections.js';
import { ShardKeys } from './keys.js';
import { OrderedReceiver } from './ordered-receiver.js';
import { GroupShard } from './streams.js';

const subscription: Subscription = {
  topic: 'orders',
  group: 'g',
  consumer: 'c',
  mode: 'ordered',
  startFrom: 'first',
  leaseMs: 30_000,
  shards: 1,
  queuesPerShard: 3,
};
const leases = [0, 1, 2].map((queue): QueueLease => {
  return { topic: 'orders', group: 'g', shard: 0, queue, member: 'c', epoch: 1, until: 30_000 };
});
const text = (value: string): Buffer => Buffer.from(value);
const stream = (read = 0) => [[], [], read, text(`${read}-0`)];
/** Of one queue: so many entries were read, and all of them joined parked keys. */
const joined = (read: number) => [stream(read), stream(), [], [], text('0-0')];

/** Leases as they stand in the call, in its order. */
const queuesOf = (args: readonly unknown[]): unknown[] => args.filter((arg) => /^\d c 1$/.test(String(arg)));

describe('a reader of owned queues', () => {
  let calls: (readonly unknown[])[];
  let replies: unknown[][];
  let waits: (readonly unknown[])[];
  let now: number;
  let broken: () => void;
  let connections: Connections;
  let receiver: OrderedReceiver;

  beforeEach(() => {
    [calls, replies, waits, now] = [[], [], [], 0];
    const caller: Pick<Caller, 'run' | 'monotonic'> = {
      run: async (_, __, args) => {
        calls.push(args);
        now += 100;
        return replies.shift() ?? queuesOf(args).map(() => joined(0));
      },
      monotonic: () => now,
    };
    const reader = { blockMs: (ms: number) => ms, run: async (args: readonly unknown[]) => void waits.push(args) };
    connections = { breaks: 0, onBreak: (listener: () => void) => (broken = listener) } as unknown as Connections;
    const shard = new GroupShard(subscription, 0, new ShardKeys('mq', 'orders', 0));
    receiver = new OrderedReceiver(shard, reader as unknown as BlockingReader, caller as Caller, connections);
  });

  const receive = (waitMs = 0, signal?: AbortSignal) => receiver.receive({ max: 10, waitMs, signal, leases });
  /** Whatever a former owner may have left has been looked for. */
  const settleIn = async (): Promise<void> => {
    await receive();
    calls = [];
  };

  it('asks for all queues in one call, beginning with another one each time', async () => {
    await settleIn();
    for (let count = 0; count < 3; count++) await receive();
    expect(calls).toHaveLength(3);
    const orders = calls.map((args) => queuesOf(args));
    for (const order of orders) expect(order.toSorted()).toEqual(['0 c 1', '1 c 1', '2 c 1']);
    expect(new Set(orders.map(([first]) => first)).size).toBe(3);
  });

  it('looks at what is pending first, and waits only when it has seen all of it', async () => {
    await receive(5000);
    expect(calls[0]!.filter((arg) => arg === '>')).toEqual([]);
    expect(calls[1]!.filter((arg) => arg === '>')).toHaveLength(6);
    expect(waits).toHaveLength(1);
    expect(calls).toHaveLength(3);
  });

  it('goes on behind what joined parked keys without waiting for anything', async () => {
    await settleIn();
    replies = [
      [joined(9), joined(0), joined(0)],
      [joined(9), joined(0), joined(0)],
    ];
    await receive(0);
    expect(calls).toHaveLength(3);
  });

  it('stops joining when it is told to end, and after a second in any case', async () => {
    await settleIn();
    const endless = (): void => void (replies = Array.from({ length: 100 }, () => leases.map(() => joined(9))));
    endless();
    const ended = new AbortController();
    ended.abort();
    expect(await receive(5000, ended.signal)).toEqual([]);
    expect([calls.length, waits.length]).toEqual([1, 0]);
    endless();
    await receive(0);
    expect(calls.length).toBeLessThan(13);
  });

  it('asks no more for a queue that is another owner’s', async () => {
    await settleIn();
    replies = [[joined(0), text('LOST'), joined(0)]];
    await receive();
    const [lost] = queuesOf(calls[0]!).slice(1);
    await receive();
    expect(queuesOf(calls.at(-1)!)).toHaveLength(2);
    expect(queuesOf(calls.at(-1)!)).not.toContain(lost);
  });

  it('asks again for everything pending when a connection broke', async () => {
    await settleIn();
    broken();
    await receive();
    expect(calls[0]!.filter((arg) => arg === '>')).toEqual([]);
    expect(calls[0]!.filter((arg) => arg === 'again')).toHaveLength(3);
  });
});
