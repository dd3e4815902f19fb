import { HeldDelivery } from '../consumer/held-delivery.js';
import type { Delivery } from '../consumer/delivery.js';
import { Lanes } from './lanes.js';

const held = (): HeldDelivery => new HeldDelivery({} as Delivery, undefined);

describe('lanes', () => {
  it('forget keys that are done, however many come and go', () => {
    const lanes = new Lanes();
    let most = 0;
    for (let key = 0; key < 100_000; key++) {
      lanes.of(`key-${key}`);
      if (key % 10 === 0) lanes.sweep();
      most = Math.max(most, [...(key % 1000 === 0 ? lanes.values() : [])].length);
    }
    expect(most).toBeLessThan(100);
  });

  it('keep those in use and those that are parked', () => {
    const lanes = new Lanes();
    lanes.of('busy').row.push(held());
    lanes.of('parked').isParked = true;
    lanes.of('leaving').leaving = 1;
    for (let key = 0; key < 1000; key++) lanes.of(`key-${key}`);
    lanes.sweep();
    expect(lanes.get('key-0')).toBeUndefined();
    expect(['busy', 'parked', 'leaving'].map((key) => lanes.get(key) !== undefined)).toEqual([true, true, true]);
  });
});
