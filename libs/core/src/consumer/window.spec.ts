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

  it('keeps a quarter in reserve for expired leases, beyond what is fetched', () => {
    const window = new Window(20, 20);
    admit(window, 40);
    expect([window.free, window.freeForReclaim]).toEqual([0, 10]);
    admit(window, 10);
    expect(window.freeForReclaim).toBe(0);
  });
});
