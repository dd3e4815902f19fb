import { describe, expect, it } from '@jest/globals';
import { ShardKeys } from './keys.js';

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
    expect(new ShardKeys('ns', 'orders', 0).record('k:}{evil}')).toBe('{ns:orders:0}:id:k:}{evil}');
  });
});
