import { FIRST_DELIVERY, type Delivery, type QueueLease, type Settlement } from '../consumer/delivery.js';
import type { Dispatcher } from '../consumer/dispatcher.js';
import { HeldDelivery } from '../consumer/held-delivery.js';
import { ACK } from '../consumer/settlement.js';
import { Window } from '../consumer/window.js';
import { QueueLanes } from './queue-lanes.js';

const RETRY = { type: 'retry', delayMs: 1000, state: { ...FIRST_DELIVERY, attempt: 2 } } as const;

describe('lanes of a queue', () => {
  let window: Window;
  let lease: QueueLease;
  let lanes: QueueLanes;
  let ready: string[];
  let gone: string[];
  let lost: string[];
  let changes: number;

  const byName = new Map<string, HeldDelivery>();
  const nameOf = (held: HeldDelivery): string => held.delivery.entryId;
  /** What was sent to be settled, and not answered yet. */
  let sent: [HeldDelivery, Settlement][];
  const settler = {
    settle: (held: HeldDelivery, settlement: Settlement) => {
      held.state = 'settling';
      sent.push([held, settlement]);
    },
  };
  const dispatcher = {
    settler,
    get inHand() {
      return [...byName.values()].filter(({ state }) => state !== 'gone');
    },
    ready: (held: HeldDelivery) => {
      if (held.state === 'gone') return;
      held.state = 'waiting';
      ready.push(nameOf(held));
    },
    letGo: (held: HeldDelivery) => {
      if (held.state === 'gone') return;
      held.state = 'gone';
      window.leave(held);
      gone.push(nameOf(held));
      held.onGone?.();
    },
    lose: (held: HeldDelivery) => lost.push(nameOf(held)),
  };
  const create = (leftRunning: ReadonlyMap<string, HeldDelivery> = new Map()): QueueLanes => {
    const onChange = (): void => void changes++;
    const parts = { dispatcher: dispatcher as unknown as Dispatcher, window, leftRunning, onChange };
    return new QueueLanes(lease, parts);
  };
  const texts = (): string[] =>
    sent.map(([held, { type, ...rest }]) => `${nameOf(held)} ${'wake' in rest ? 'wake' : type}`);
  /** The broker answers: by default all that was sent, in its order. */
  const answer = (count = sent.length, result: 'settled' | 'lease-lost' = 'settled'): void => {
    for (const [held, settlement] of sent.splice(0, count)) lanes.settled(held, settlement, result);
  };
  const arrive = (entryId: string, orderingKey = 'key', rest: Partial<Delivery> = {}): HeldDelivery => {
    const message = { messageId: entryId, tag: '', orderingKey, meta: '', body: Buffer.alloc(1) };
    const held = new HeldDelivery(
      { entryId, message, source: 'queue', state: FIRST_DELIVERY, ...rest } as Delivery,
      undefined,
    );
    byName.set(entryId, held);
    lanes.accept(held);
    return held;
  };
  const heldOf = (entryId: string): HeldDelivery => byName.get(entryId)!;
  const run = (held: HeldDelivery): HeldDelivery => {
    held.state = 'running';
    return held;
  };

  beforeEach(() => {
    window = new Window(4, 4);
    lease = { until: 5000 } as QueueLease;
    [ready, gone, lost, changes, sent] = [[], [], [], 0, []];
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

  it('let go of a head that is to come again: its key waits at the broker', () => {
    const head = run(arrive('1'));
    window.admit(head);
    lanes.settle(head, RETRY);
    expect(texts()).toEqual(['1 retry']);
    answer();
    expect([gone, window.free, lanes.isBusy]).toEqual([['1'], 8, false]);
  });

  it('send the followers to the broker before a head that is to come again, so that they cannot overtake it', () => {
    const head = run(arrive('1'));
    for (const entry of ['2', '3']) arrive(entry);
    lanes.settle(head, RETRY);
    expect([texts(), head.state]).toEqual([['2 follow', '3 follow'], 'settling']);
    answer(1);
    expect(texts()).toEqual(['3 follow']);
    // Read before the key was parked.
    arrive('4');
    answer(1);
    expect(texts()).toEqual(['4 follow']);
    answer();
    expect(texts()).toEqual(['1 retry']);
    answer();
    expect([gone, ready]).toEqual([['2', '3', '4', '1'], ['1']]);
  });

  it('send after it what a read brings that began before its key was parked', () => {
    const head = run(arrive('1'));
    lanes.settle(head, RETRY);
    answer();
    arrive('2');
    expect(texts()).toEqual(['2 wake']);
    answer();
    lanes.beforeRead();
    arrive('3');
    expect(ready).toEqual(['1', '3']);
  });

  it('remember a key that was parked while something of it is on its way', () => {
    const head = run(arrive('1'));
    lanes.settle(head, RETRY);
    answer();
    arrive('2');
    lanes.beforeRead();
    arrive('3');
    expect(texts()).toEqual(['2 wake', '3 wake']);
  });

  it('wake a key with what arrives while its last message is being acked', () => {
    const parked = run(arrive('1', 'key', { source: 'parked' }));
    arrive('2');
    lanes.settle(parked, ACK);
    answer(1);
    expect(texts()).toEqual(['1 ack']);
    arrive('3');
    expect(texts()).toEqual(['1 ack', '3 wake']);
  });

  it('run a page of a parked key one after the other, and drop its rest when one fails', () => {
    const [first] = ['1', '2', '3'].map((entry) => arrive(entry, 'key', { source: 'parked' }));
    lanes.settle(run(first!), ACK);
    answer();
    expect(ready).toEqual(['1', '2']);
    lanes.settle(run(heldOf('2')), RETRY);
    answer();
    expect([gone, ready]).toEqual([
      ['1', '2', '3'],
      ['1', '2'],
    ]);
  });

  it('park a long row behind a head that runs when memory gets scarce; its ack wakes the key', () => {
    const head = run(arrive('head'));
    for (let count = 1; count < 5000; count++) arrive(`${count}`);
    expect([window.isCrowded, sent.length]).toEqual([false, 0]);
    arrive('5000');
    expect([window.isCrowded, sent.length]).toEqual([true, 5000]);
    arrive('late');
    lanes.settle(head, ACK);
    answer(5001);
    expect(sent.map(([, settlement]) => settlement)).toEqual([{ type: 'ack', leadsParked: true }]);
    answer();
    expect([window.isCrowded, ready]).toEqual([false, ['head']]);
  });

  it('keep short rows here when memory gets scarce', () => {
    for (let key = 0; key < 5010; key++) for (const entry of ['1', '2']) arrive(`${key}-${entry}`, `key ${key}`);
    expect([window.isCrowded, sent]).toEqual([true, []]);
  });

  it('bury what is exhausted and has no key: nobody could resume it', () => {
    const held = run(arrive('x', ''));
    lanes.settle(held, { type: 'park', reason: 'attempts-exhausted', state: FIRST_DELIVERY });
    expect(sent.map(([, settlement]) => settlement)).toMatchObject([
      { type: 'dead-letter', reason: 'attempts-exhausted' },
    ]);
  });

  it('do not settle a head whose followers could not be parked', () => {
    const head = run(arrive('1'));
    arrive('2');
    lanes.settle(head, RETRY);
    answer(1, 'lease-lost');
    expect([sent, gone.toSorted(), lanes.isBroken]).toEqual([[], ['1', '2'], true]);
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

  it.each(['unknown', 'lease-lost'] as const)('are broken after the answer "%s": nothing starts any more', (result) => {
    const head = run(arrive('1'));
    arrive('2');
    const other = arrive('x', 'other');
    lanes.settled(head, ACK, result);
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
    two.state = 'waiting';
    expect(lanes.isBusy).toBe(false);
  });

  it('tell their owner when they are paused and something ended', () => {
    const head = run(arrive('1'));
    lanes.pause();
    lanes.settled(head, ACK, 'settled');
    expect(changes).toBe(1);
  });

  it('forget everything when closed; running handlers are told, settlements under way are awaited', () => {
    const [waiting, running, settling] = ['a', 'b', 'c', 'd'].map((key) => arrive(key, key));
    run(running!);
    settling!.state = 'settling';
    expect([...lanes.close().values()]).toEqual([running]);
    expect([gone, lost]).toEqual([['a', 'd'], ['b']]);
    lanes.settled(settling!, ACK, 'settled');
    expect(gone).toEqual(['a', 'd', 'c']);
    expect([ready.length, waiting!.state]).toEqual([4, 'gone']);
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
