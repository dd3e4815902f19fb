import { describe, expect, it } from '@jest/globals';
import { CallSlots } from './call-slots.js';

describe('CallSlots', () => {
  it('never gives one slot to two calls under way', () => {
    const slots = new CallSlots();
    const names = Array.from({ length: 5 }, () => slots.acquire(1_000).name);
    expect(new Set(names).size).toBe(5);
  });

  it('gives a released slot again with a higher number', () => {
    const slots = new CallSlots();
    const first = slots.acquire(1_000);
    const { name, number } = first;
    slots.release(first);
    expect(slots.acquire(1_000)).toMatchObject({ name, number: number + 1 });
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
    expect(new CallSlots().acquire(1_000).name).not.toBe(new CallSlots().acquire(1_000).name);
  });
});
