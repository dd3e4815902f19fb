import { FIRST_DELIVERY, type Delivery } from './delivery.js';
import { HeldDelivery } from './held-delivery.js';
import { Window } from './window.js';

const held = (bytes = 1): HeldDelivery => {
  const message = { messageId: 'm', tag: '', orderingKey: '', meta: '', body: Buffer.alloc(bytes) };
  return new HeldDelivery({ message, state: FIRST_DELIVERY } as Delivery, undefined);
};
const admit = (window: Window, count: number): HeldDelivery[] =>
  Array.from({ length: count }, () => {
    const one = held();
    window.admit(one);
    return one;
  });

describe('window', () => {
  it('is as large as concurrency and prefetch together', () => {
    const window = new Window(20, 20);
    admit(window, 30);
    expect([window.capacity, window.free]).toEqual([40, 10]);
  });

  it('counts a delivery once, whatever is said of it twice', () => {
    const window = new Window(2, 0);
    const one = held();
    window.admit(one);
    window.admit(one);
    expect(window.free).toBe(1);
    window.leave(one);
    window.leave(one);
    expect(window.free).toBe(2);
  });

  it('asks for reads of a quarter of it, to avoid tiny ones', () => {
    const window = new Window(20, 20);
    const all = admit(window, 40);
    let woken = 0;
    window.whenRoom(() => woken++);
    for (const one of all.slice(0, 9)) window.leave(one);
    expect([window.isBelowThreshold, woken]).toEqual([true, 0]);
    window.leave(all[9]!);
    window.leave(all[10]!);
    expect([window.isBelowThreshold, woken]).toEqual([false, 1]);
  });

  it('leaves no handler idle for the sake of larger reads when nothing is prefetched', () => {
    expect(new Window(20, 0).threshold).toBe(1);
    expect(new Window(1, 0).threshold).toBe(1);
    expect(new Window(20, 2).threshold).toBe(2);
  });

  it('does not count what waits behind its ordering key', () => {
    const window = new Window(2, 2);
    for (let count = 0; count < 1000; count++) window.park(held());
    expect(window.free).toBe(4);
  });

  it('is full when 10000 deliveries or 64 MiB wait behind their ordering keys', () => {
    const many = new Window(2, 2);
    for (let count = 0; count < 10_000; count++) many.park(held());
    expect(many.free).toBe(0);
    const large = new Window(2, 2);
    const parked = Array.from({ length: 16 }, () => held(4 * 1024 * 1024));
    for (const one of parked) large.park(one);
    expect(large.free).toBe(0);
    large.admit(parked[0]!);
    expect(large.free).toBe(3);
  });

  it('does not count what is done and waits for its settlement, up to the prefetch', () => {
    const window = new Window(4, 4);
    const all = admit(window, 8);
    for (const one of all.slice(0, 4)) window.settle(one);
    expect(window.free).toBe(4);
    for (const one of all.slice(4)) window.settle(one);
    expect(window.free).toBe(4);
    window.leave(all[0]!);
    expect(window.free).toBe(5);
    const strict = new Window(1, 0);
    const [only] = admit(strict, 1);
    strict.settle(only!);
    expect(strict.free).toBe(0);
  });

  it('weighs what waits for its settlement: its body is still in hand', () => {
    const window = new Window(2, 2, 100);
    const large = held(100);
    window.admit(large);
    window.settle(large);
    expect(window.free).toBe(0);
  });

  it('keeps a quarter in reserve for expired leases, beyond what is fetched', () => {
    const window = new Window(20, 20);
    admit(window, 40);
    expect([window.free, window.freeForReclaim]).toEqual([0, 10]);
    admit(window, 10);
    expect(window.freeForReclaim).toBe(0);
  });

  it('is full when the bytes in hand reach its bound, until one leaves', () => {
    const window = new Window(20, 20, 1000);
    const all = [held(600), held(300)];
    for (const one of all) window.admit(one);
    expect(window.free).toBeGreaterThan(0);
    const last = held(100);
    window.admit(last);
    let woken = 0;
    window.whenRoom(() => woken++);
    expect([window.free, window.isBelowThreshold, woken]).toEqual([0, true, 0]);
    window.leave(all[0]!);
    expect([window.free > 0, window.isBelowThreshold, woken]).toEqual([true, false, 1]);
  });

  it('asks for one message at least when nothing is in hand, however large they are', () => {
    const window = new Window(20, 20, 1000);
    const huge = held(50_000);
    window.admit(huge);
    expect([window.free, window.freeForReclaim]).toEqual([0, 0]);
    window.leave(huge);
    expect([window.free, window.freeForReclaim, window.isBelowThreshold]).toEqual([1, 1, false]);
  });

  it('asks for no more messages than fit if they are like the latest ones', () => {
    const window = new Window(20, 20, 64_000);
    window.admit(held(8_000));
    expect(window.free).toBe(7);
  });

  it('is not kept small by a single large message', () => {
    const window = new Window(20, 20, 64_000);
    const large = held(32_000);
    window.admit(large);
    expect(window.free).toBe(1);
    window.leave(large);
    for (let count = 0; count < 60; count++) {
      const small = held(100);
      window.admit(small);
      window.leave(small);
    }
    expect(window.free).toBe(40);
  });

  it('does not weigh what hangs: a large message that never ends keeps a place and nothing else', () => {
    const window = new Window(2, 2, 1000);
    const hanging = held(5_000);
    window.admit(hanging);
    expect(window.free).toBe(0);
    window.stall(hanging);
    expect(window.isBelowThreshold).toBe(false);
    for (const one of admit(window, 3)) expect(one.place).toBe('window');
    expect(window.free).toBe(0);
  });

  describe('whose prefetch grows', () => {
    const TEN_MS = 10;
    const handle = (window: Window, count: number): void => {
      for (const one of admit(window, count)) window.settle(one);
    };
    /** After several reads that each had `count` messages handled within 10 ms. */
    const afterPaceOf = (count: number, window = new Window(100, 100, Infinity, true)): Window => {
      for (let read = 0; read < 10; read++) {
        window.keepPace(read * TEN_MS);
        handle(window, count);
      }
      window.keepPace(10 * TEN_MS);
      return window;
    };

    it('holds 20 ms of work at the pace of its handlers, and never less than it began with', () => {
      expect(afterPaceOf(10).capacity).toBe(200);
      expect(afterPaceOf(50).capacity).toBe(200);
      expect(afterPaceOf(125).capacity).toBeGreaterThan(300);
      expect(afterPaceOf(125).capacity).toBeLessThanOrEqual(350);
    });

    it('is at most four times the concurrency, however quick they are', () => {
      expect(afterPaceOf(100_000).capacity).toBe(500);
    });

    it('is not taken in by slow handlers that end together', () => {
      const window = new Window(20, 20, Infinity, true);
      window.keepPace(0);
      for (let second = 1; second <= 20; second++) {
        for (const ms of [0, 0.2, 0.4]) {
          handle(window, 10);
          window.keepPace(second * 1000 + ms);
          expect(window.capacity).toBe(40);
        }
      }
    });

    it('shrinks again when they become slow', () => {
      const window = afterPaceOf(100_000);
      for (let second = 1; second <= 20; second++) window.keepPace(100 + second * 1000);
      expect(window.capacity).toBe(200);
    });

    it('stays as it is when its size was named, or while no time passes', () => {
      expect(afterPaceOf(1000, new Window(100, 100)).capacity).toBe(200);
      const still = new Window(100, 100, Infinity, true);
      for (let read = 0; read < 10; read++) {
        still.keepPace(7);
        handle(still, 1000);
      }
      expect(still.capacity).toBe(200);
    });
  });
});
