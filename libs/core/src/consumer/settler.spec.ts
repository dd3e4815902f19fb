import { ManualClock } from '@millrace/testing';
import { BrokerRefusedError } from '../errors.js';
import { MqEvents } from '../events.js';
import { FIRST_DELIVERY, type Delivery, type SettleResult } from './delivery.js';
import { HeldDelivery } from './held-delivery.js';
import { ACK } from './settlement.js';
import { Settler, type SettleAnswer } from './settler.js';

describe('settler', () => {
  let clock: ManualClock;
  let events: MqEvents;
  let calls: number[];
  let answers: [string, SettleAnswer][];
  let settle: () => Promise<SettleResult[]>;
  let settler: Settler;

  const held = (entryId: string): HeldDelivery =>
    new HeldDelivery({ entryId, state: FIRST_DELIVERY } as unknown as Delivery, undefined);

  beforeEach(() => {
    clock = new ManualClock();
    events = new MqEvents();
    [calls, answers] = [[], []];
    const broker = {
      settle: (items: readonly unknown[]) => {
        calls.push(items.length);
        return settle();
      },
    };
    settler = new Settler({
      broker,
      clock,
      events,
      name: 'orders/billing',
      began: () => undefined,
      answered: (one, _, answer) => answers.push([one.delivery.entryId, answer]),
    });
  });

  it('sends what is settled in one turn as one call, and tells each its own answer', async () => {
    settle = async () => ['settled', 'lease-lost'];
    settler.settle(held('a'), ACK);
    settler.settle(held('b'), ACK);
    await settler.idle();
    expect(calls).toEqual([2]);
    expect(answers).toEqual([
      ['a', 'settled'],
      ['b', 'lease-lost'],
    ]);
  });

  it('sends what is settled at once when asked to, and once', async () => {
    settle = async () => ['settled'];
    settler.settle(held('a'), ACK);
    settler.flush();
    expect(calls).toEqual([1]);
    await settler.idle();
    settler.flush();
    expect(calls).toEqual([1]);
  });

  it('tries again while it is open, telling of each failure', async () => {
    const errors: string[] = [];
    events.on('loop-error', ({ loop }) => errors.push(loop));
    let failures = 3;
    settle = async () => {
      if (failures-- > 0) throw new BrokerRefusedError('loading', 'MQ_UNAVAILABLE');
      return ['settled'];
    };
    settler.settle(held('a'), ACK);
    await clock.advance(99);
    expect(calls).toHaveLength(1);
    await clock.advance(601);
    expect(answers).toEqual([['a', 'settled']]);
    expect(errors).toEqual(Array.from({ length: 3 }, () => 'settle orders/billing'));
  });

  it.each([
    ['an error that trying again will not mend', new BrokerRefusedError('wrong type', 'MQ_REFUSED')],
    ['an error it does not know', new TypeError('x is not a function')],
  ])('gives up at %s', async (_, error) => {
    settle = () => Promise.reject(error);
    settler.settle(held('a'), ACK);
    await settler.idle();
    expect([calls, answers]).toEqual([[1], [['a', 'unknown']]]);
  });

  it('gives up when it is closed, at once', async () => {
    settle = () => Promise.reject(new BrokerRefusedError('loading', 'MQ_UNAVAILABLE'));
    settler.settle(held('a'), ACK);
    await clock.advance(10);
    settler.close();
    await settler.idle();
    expect(answers).toEqual([['a', 'unknown']]);
    expect(clock.waiting).toBe(0);
  });

  it('is idle only when everything was answered', async () => {
    let answer!: (results: SettleResult[]) => void;
    settle = () => new Promise((resolve) => (answer = resolve));
    settler.settle(held('a'), ACK);
    let isIdle = false;
    const idle = settler.idle().then(() => (isIdle = true));
    await clock.advance(10);
    expect(isIdle).toBe(false);
    answer(['settled']);
    await idle;
    expect(answers).toHaveLength(1);
  });
});
