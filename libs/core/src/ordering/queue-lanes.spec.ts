import { jest } from '@jest/globals';
import { ManualClock } from '@millrace/testing';
import { FIRST_DELIVERY, type Delivery, type QueueLease } from '../consumer/delivery.js';
import type { Dispatcher } from '../consumer/dispatcher.js';
import { HeldDelivery } from '../consumer/held-delivery.js';
import { ACK } from '../consumer/settlement.js';
import { Window } from '../consumer/window.js';
import { QueueLanes } from './queue-lanes.js';

const RETRY = { type: 'retry', delayMs: 1000, state: { ...FIRST_DELIVERY, attempt: 2 } } as const;

describe('lanes of a queue', () => {
  let clock: ManualClock;
  let window: Window;
  let lease: QueueLease;
  let lanes: QueueLanes;
  let ready: string[];
  let gone: string[];
  let lost: string[];
  let changes: number;

  const nameOf = (held: HeldDelivery): string => held.delivery.entryId;
  const dispatcher = {
    isStopped: false,
    ready: (held: HeldDelivery) => {
      if (held.state === 'gone') return;
      held.state = 'waiting';
      ready.push(nameOf(held));
    },
    letGo: (held: HeldDelivery) => {
      if (held.state === 'gone') return;
      held.state = 'gone';
      gone.push(nameOf(held));
      held.onGone?.();
    },
    lose: (held: HeldDelivery) => lost.push(nameOf(held)),
  };
  const create = (leftRunning: ReadonlyMap<string, HeldDelivery> = new Map()): QueueLanes => {
    const onChange = (): void => void changes++;
    const parts = { dispatcher: dispatcher as unknown as Dispatcher, window, clock, leftRunning, onChange };
    return new QueueLanes(lease, parts);
  };
  const arrive = (entryId: string, orderingKey = 'key', rest: Partial<Delivery> = {}): HeldDelivery => {
    const message = { messageId: entryId, tag: '', orderingKey, meta: '', body: Buffer.alloc(1) };
    const held = new HeldDelivery({ entryId, message, state: FIRST_DELIVERY, ...rest } as Delivery, undefined);
    lanes.accept(held);
    return held;
  };
  const run = (held: HeldDelivery): HeldDelivery => {
    held.state = 'running';
    return held;
  };

  beforeEach(() => {
    clock = new ManualClock();
    window = new Window(4, 4);
    lease = { until: 5000 } as QueueLease;
    [ready, gone, lost, changes] = [[], [], [], 0];
    lanes = create();
  });
  afterEach(() => lanes.close());

  it('make the head of each key ready, and messages without a key at once', () => {
    for (const [entry, key] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['b1', 'b'],
      ['x', ''],
      ['y', ''],
    ])
      arrive(entry!, key);
    expect(ready).toEqual(['a1', 'b1', 'x', 'y']);
  });

  it('make the follower ready when the head is done for the group', () => {
    const head = run(arrive('1'));
    arrive('2');
    lanes.settled(head, ACK, 'settled');
    expect([gone, ready]).toEqual([['1'], ['1', '2']]);
  });

  it('keep a head that is to come again, with its new state, out of the window meanwhile', async () => {
    const head = run(arrive('1'));
    window.admit(head);
    arrive('2');
    lanes.settled(head, RETRY, 'settled');
    expect([head.state, window.free]).toEqual(['resting', 8]);
    await clock.advance(999);
    expect(ready).toEqual(['1']);
    await clock.advance(1);
    expect([ready, head.delivery.state.attempt]).toEqual([['1', '1'], 2]);
  });

  it('may wait for thousands of keys without a warning', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    for (let key = 0; key < 2000; key++) arrive(`${key}`, `key ${key}`, { notBeforeMs: 1000 });
    await clock.advance(0);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('wait out the back-off that a former owner left', async () => {
    arrive('1', 'key', { notBeforeMs: 300 });
    await clock.advance(299);
    expect(ready).toEqual([]);
    await clock.advance(1);
    expect(ready).toEqual(['1']);
  });

  it('let nothing start while paused; what was kept back starts on resume', () => {
    const held = arrive('1');
    lanes.pause();
    expect(lanes.mayStart(held, 0)).toBe(false);
    lanes.resume();
    expect([ready, lanes.mayStart(held, 0)]).toEqual([['1', '1'], true]);
  });

  it('let nothing start when the lease may have run out, and ask for its renewal', () => {
    const held = arrive('1');
    expect([lanes.mayStart(held, 4999), changes]).toEqual([true, 0]);
    expect([lanes.mayStart(held, 5000), changes]).toEqual([false, 1]);
  });

  it.each(['unknown', 'lease-lost'] as const)('are broken after the answer "%s": nothing starts any more', (answer) => {
    const head = run(arrive('1'));
    arrive('2');
    const other = arrive('x', 'other');
    lanes.settled(head, ACK, answer);
    expect([lanes.isBroken, ready, changes]).toEqual([true, ['1', 'x'], 1]);
    expect(lanes.mayStart(other, 0)).toBe(false);
    lanes.resume();
    expect([lanes.mayStart(other, 0), ready]).toEqual([false, ['1', 'x']]);
  });

  it('are busy while a handler runs or a settlement is under way', () => {
    const [one, two] = [arrive('1', 'a'), arrive('2', 'b')];
    expect(lanes.isBusy).toBe(false);
    run(one);
    expect(lanes.isBusy).toBe(true);
    one.state = 'gone';
    two.state = 'settling';
    expect(lanes.isBusy).toBe(true);
    two.state = 'resting';
    expect(lanes.isBusy).toBe(false);
  });

  it('tell their owner when they are paused and something ended', () => {
    const head = run(arrive('1'));
    lanes.pause();
    lanes.settled(head, ACK, 'settled');
    expect(changes).toBe(1);
  });

  it('forget everything when closed; running handlers are told, settlements under way are awaited', async () => {
    const [waiting, running, settling, resting] = ['a', 'b', 'c', 'd'].map((key) => arrive(key, key));
    run(running!);
    settling!.state = 'settling';
    lanes.settled(resting!, RETRY, 'settled');
    expect([...lanes.close().values()]).toEqual([running]);
    expect([gone, lost]).toEqual([['a', 'd'], ['b']]);
    lanes.settled(settling!, ACK, 'settled');
    expect(gone).toEqual(['a', 'd', 'c']);
    await clock.advance(1000);
    expect([ready.length, waiting!.state, clock.waiting]).toEqual([4, 'gone', 0]);
  });

  it('block a key whose handler still runs under a former lease, until it ends', () => {
    const before = run(arrive('old', 'a'));
    const leftRunning = lanes.close();
    lanes = create(leftRunning);
    const blocked = arrive('new', 'a');
    arrive('free', 'b');
    expect(ready).toEqual(['old', 'free']);
    dispatcher.letGo(before);
    expect([ready, blocked.state]).toEqual([['old', 'free', 'new'], 'waiting']);
  });
});
