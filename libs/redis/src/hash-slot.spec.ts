import { describe, expect, it } from '@jest/globals';
import { hashSlot } from './hash-slot.js';
import { absentKey, ShardKeys } from './keys.js';

describe('the slot of a key', () => {
  // From the cluster specification and CLUSTER KEYSLOT of a server.
  it.each([
    ['123456789', 12739],
    ['foo', 12182],
    ['{user1000}.following', hashSlot('user1000')],
    ['foo{}{bar}', 8363],
    ['foo{{bar}}zap', hashSlot('{bar')],
    ['', 0],
  ])('of %j is %d', (key, slot) => expect(hashSlot(key)).toBe(slot));

  it('is the same for all keys of a shard, the absent one included', () => {
    const keys = new ShardKeys('shop', 'orders', 2);
    const group = keys.group('g');
    const all = [
      keys.meta,
      keys.queue(7),
      keys.slot('a.1'),
      keys.record('{x}'),
      group.retries(0),
      absentKey(keys.meta),
    ];
    expect(new Set(all.map(hashSlot)).size).toBe(1);
  });
});
