import { describe, expect, it } from '@jest/globals';
import { CallSlots } from './call-slots.js';

describe('CallSlots', () => {
  it('never gives one slot to two calls under way', () => {
    const slots = new CallSlots();
    const names = Array.from({ length: 5 }, () => slots.acquire().name);
    expect(new Set(names).size).toBe(5);
  });

  it('gives a released slot again with a higher number', () => {
    const slots = new CallSlots();
    const first = slots.acquire();
    const { name, number } = first;
    slots.release(first);
    expect(slots.acquire()).toMatchObject({ name, number: number + 1 });
  });

  it('shares no slot between two processes', () => {
    expect(new CallSlots().acquire().name).not.toBe(new CallSlots().acquire().name);
  });
});
