import { describe, expect, it } from '@jest/globals';
import { routeOf } from '@millrace/core';
import { recordBucket, ShardKeys } from './keys.js';

describe('keys', () => {
  it('of a shard all carry its hash tag, so that every script is single-slot', () => {
    const keys = new ShardKeys('ns', 'orders', 2);
    const group = keys.group('billing');
    const all = [
      keys.meta,
      keys.queue(1),
      keys.delayed(0),
      keys.delayedPayloads(0),
      keys.slot('s'),
      keys.record('k:1'),
      keys.recordPrefix,
      keys.halves,
      keys.halfStates,
      keys.halfChecks('shop'),
      keys.parkedHalves,
      keys.halfOutcome('m'),
      group.waiting,
      group.waitingPayloads,
      group.retries(0),
      group.dead,
      group.deadLetters,
      group.started,
      ...group.parked(0),
      group.owners,
      group.members,
    ];
    for (const key of all) expect(key.startsWith('{ns:orders:2}:')).toBe(true);
    expect(new Set(all).size).toBe(all.length);
  });

  it('stay inside their hash tag whatever a user puts into a business key', () => {
    expect(new ShardKeys('ns', 'orders', 0).record('k:}{evil}')).toMatch(/^\{ns:orders:0\}:id:\d+$/);
  });

  // A bucket that holds many is a long stop when it goes.
  it.each([
    ['numbers', (n: number) => `k:${n}`],
    ['padded numbers', (n: number) => `k:order-${String(n).padStart(10, '0')}`],
    ['names with a common end', (n: number) => `k:${n}:payment-captured:2026-11-21`],
    ['message ids', (n: number) => `m:01a1ff9d-d2a3-7${String(n).padStart(7, '0')}-83da-9f4685d9e6e9`],
  ])('deals records whose names are %s out to all 4,096 buckets, also those of one shard of many', (_, name) => {
    const inOneShard = Array.from({ length: 400_000 }, (__, n) => name(n)).filter(
      (record) => routeOf(record.slice(2), { shards: 4, queues: 16 }).shard === 3,
    );
    const sizes = new Map<number, number>();
    for (const record of inOneShard) sizes.set(recordBucket(record), (sizes.get(recordBucket(record)) ?? 0) + 1);
    expect(sizes.size).toBe(4096);
    expect(Math.max(...sizes.values())).toBeLessThan((3 * inOneShard.length) / 4096);
  });
});
