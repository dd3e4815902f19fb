import { FIRST_DELIVERY, type Delivery } from './delivery.js';
import { HeldDelivery } from './held-delivery.js';
import { InHand } from './in-hand.js';

const delivery = (entryId: string, rest: Partial<Delivery> = {}): Delivery =>
  ({ shard: 0, queue: 0, source: 'queue', entryId, state: FIRST_DELIVERY, ...rest }) as unknown as Delivery;

describe('deliveries in hand', () => {
  let inHand: InHand;

  const hold = (held: Delivery): HeldDelivery => {
    const one = new HeldDelivery(held, undefined);
    inHand.add(one);
    return one;
  };
  const end = (held: HeldDelivery): void => {
    held.state = 'gone';
    inHand.end(held);
  };

  beforeEach(() => {
    inHand = new InHand();
  });

  it('are known by shard, queue, source, entry and epoch', () => {
    const held = hold(delivery('1-0', { epoch: 3 }));
    expect(inHand.find(delivery('1-0', { epoch: 3 }))).toBe(held);
    for (const other of [{ shard: 1 }, { queue: 1 }, { source: 'retry' as const }, { epoch: 4 }]) {
      expect(inHand.find(delivery('1-0', { epoch: 3, ...other }))).toBeUndefined();
    }
    expect(inHand.find(delivery('1-1', { epoch: 3 }))).toBeUndefined();
  });

  it('stay known after their end until the next read of their shard begins', () => {
    const held = hold(delivery('1-0'));
    end(held);
    inHand.forgetEnded(1);
    expect([inHand.find(delivery('1-0')), inHand.size, [...inHand]]).toEqual([held, 0, []]);
    inHand.forgetEnded(0);
    expect(inHand.find(delivery('1-0'))).toBeUndefined();
  });

  it('may be handed over again under a new epoch while the former hand-over has not ended', () => {
    const former = hold(delivery('1-0', { epoch: 3 }));
    const again = hold(delivery('1-0', { epoch: 4 }));
    end(former);
    inHand.forgetEnded(0);
    expect([inHand.find(delivery('1-0', { epoch: 4 })), inHand.size]).toEqual([again, 1]);
  });

  it('are counted and listed while they have not ended', () => {
    const [first, second] = [hold(delivery('1-0')), hold(delivery('1-0', { queue: 1 }))];
    end(first);
    expect([inHand.size, [...inHand]]).toEqual([1, [second]]);
  });

  it('stay as they are while very many others come and go', () => {
    const [stays, again] = [hold(delivery('0-1')), hold(delivery('0-2'))];
    for (let n = 1; n <= 1000; n++) {
      end(hold(delivery(`${n}-0`)));
      if (n % 3 === 0) inHand.forgetEnded(0);
    }
    inHand.forgetEnded(0);
    end(again);
    inHand.forgetEnded(0);
    const anew = hold(delivery('0-2'));
    expect([inHand.size, [...inHand]]).toEqual([2, [stays, anew]]);
    expect(inHand.find(delivery('1000-0'))).toBeUndefined();
  });

  it('do not let a walk through them stop at one that ends', () => {
    const all = Array.from({ length: 100 }, (_, n) => hold(delivery(`${n}-0`)));
    const seen: HeldDelivery[] = [];
    for (const held of inHand) {
      seen.push(held);
      end(held);
      inHand.forgetEnded(0);
    }
    expect([seen, inHand.size]).toEqual([all, 0]);
  });
});
