import { newMessageId } from './message-id.js';

const PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('message id', () => {
  it('is a UUIDv7 that carries its instant', () => {
    const now = Date.now() + 1000;
    const id = newMessageId(now);
    expect(id).toMatch(PATTERN);
    expect(parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(now);
  });

  it('never repeats and never goes down, within a millisecond, beyond its counter and when the clock goes back', () => {
    const now = Date.now() + 2000;
    const ids = Array.from({ length: 10_000 }, (_, index) => newMessageId(index < 9000 ? now : now - 60_000));
    expect(ids.every((id) => PATTERN.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(10_000);
    expect(ids.toSorted()).toEqual(ids);
  });
});
