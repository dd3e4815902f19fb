import { describe, expect, it } from '@jest/globals';
import { BLOCK_SLOTS, CallSlots } from './call-slots.js';

describe('CallSlots', () => {
  it('never gives one slot to two calls under way', () => {
    const slots = new CallSlots();
    const count = 2 * BLOCK_SLOTS + 1;
    const taken = Array.from({ length: count }, () => slots.acquire(1_000));
    expect(new Set(taken.map(({ block, field }) => `${block} ${field}`)).size).toBe(count);
    expect(new Set(taken.map(({ block }) => block)).size).toBe(3);
    expect(Math.max(...taken.map(({ field }) => field))).toBe(BLOCK_SLOTS - 1);
  });

  it('gives a released slot again with a higher number', () => {
    const slots = new CallSlots();
    const first = slots.acquire(1_000);
    const { block, field, number } = first;
    slots.release(first);
    expect(slots.acquire(1_000)).toMatchObject({ block, field, number: number + 1 });
  });

  it('never ends the life of a slot earlier than before: its answer refuses the copies of the call before', () => {
    const slots = new CallSlots();
    slots.release(slots.acquire(2_000.4));
    const earlier = slots.acquire(1_000);
    expect(earlier.notAfter).toBe(2_001);
    slots.release(earlier);
    expect(slots.acquire(3_000).notAfter).toBe(3_000);
  });

  it('shares no slot between two processes', () => {
    expect(new CallSlots().acquire(1_000).block).not.toBe(new CallSlots().acquire(1_000).block);
  });
});
