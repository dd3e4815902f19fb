import { expect } from '@jest/globals';
import { FIRST_DELIVERY, type Delivery } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';
import { bodies, FAILED_TWICE } from './outgoing.js';
import type { MemberOptions, Scene } from './scene.js';
import { SETTLEMENTS } from './settlements.js';

const ORDERED: MemberOptions = { mode: 'ordered' };

const keyed = (...texts: string[]) => texts.map((body) => ({ orderingKey: body[0]!, body }));

/** Time passes and due keys are woken, until something is delivered. */
const next = (stage: Scene, member: Member): Promise<Delivery[]> =>
  stage.eventually('a parked message is delivered', async () => {
    await stage.promote();
    const found = await member.drain();
    return found.length > 0 && found;
  });

const retry = (delayMs: number) => ({ type: 'retry', delayMs, state: FAILED_TWICE }) as const;

const ofA = (found: Delivery[]): Delivery[] => found.filter(({ message }) => message.orderingKey === 'a');

export function parkedKeyCases({ promise: register, scene }: ContractKit): void {
  const promise = (name: string, body: () => Promise<void>): void => register(name, body, 'orderedMode');

  /** A topic of one queue with these messages, keyed by their first letter; its owner, and who comes after it. */
  async function pair(...texts: string[]): Promise<{ stage: Scene; one: Member; two: Member }> {
    const stage = await scene();
    await stage.send(...keyed(...texts));
    const one = await (await stage.member('g', ORDERED)).own(0);
    return { stage, one, two: await stage.member('g', { ...ORDERED, ports: await stage.process() }) };
  }

  promise(
    'a retry of a keyed message parks its key: neither it nor what is behind it is delivered before',
    async () => {
      const { stage, one } = await pair('a1', 'b1');
      const [a1] = await one.drain();
      expect(await one.settle([a1!], retry(60_000))).toEqual(['settled']);
      await stage.send(...keyed('a2', 'b2'));
      await stage.promote();
      expect(bodies(await one.drain())).toEqual(['b2']);
      expect(await stage.group('g')).toMatchObject({ retrying: 1, parked: 1, leased: 2, ready: 0 });
    },
  );

  promise(
    'a parked key comes again when it is due, never early, with its state; what is behind it follows',
    async () => {
      const { stage, one } = await pair('a1');
      await one.settle(await one.drain(), retry(40));
      const dueAt = stage.subject.now() + 38;
      await stage.send(...keyed('a2', 'a3'));
      await one.drain();
      const first = await next(stage, one);
      expect(stage.subject.now()).toBeGreaterThanOrEqual(dueAt);
      expect(bodies(first)).toEqual(['a1']);
      expect(first[0]).toMatchObject({ source: 'parked', state: FAILED_TWICE });
      expect(await one.ack(...first)).toEqual(['settled']);
      const rest = await one.drain();
      expect(bodies(rest)).toEqual(['a2', 'a3']);
      expect(rest.map(({ state }) => state)).toEqual([FIRST_DELIVERY, FIRST_DELIVERY]);
      await one.ack(...rest);
      expect(await stage.group('g')).toMatchObject({ retrying: 0, parked: 0, leased: 0, ready: 0, done: 3 });
    },
  );

  promise('a key whose parked messages have all ended is like any other again', async () => {
    const { stage, one } = await pair('a1');
    await one.settle(await one.drain(), retry(0));
    await one.ack(...(await one.drain()));
    await stage.send(...keyed('a2'));
    expect(await one.drain()).toMatchObject([{ source: 'queue' }]);
  });

  promise('a retry without delay is delivered with the next read, and can be settled only once', async () => {
    const { one } = await pair('a1');
    const [first] = await one.drain();
    await one.settle([first!], retry(0));
    expect(await one.ack(first!)).toEqual(['lease-lost']);
    const [again] = await one.drain();
    await one.settle([again!], retry(0));
    const [third] = await one.drain();
    expect(await one.ack(again!)).toEqual(['lease-lost']);
    expect(await one.ack(third!)).toEqual(['settled']);
    expect(await one.ack(third!)).toEqual(['lease-lost']);
  });

  promise('what is said late of a former hand-over neither starts nor keeps the present one', async () => {
    const { one, two } = await pair('a1');
    await one.settle(await one.drain(), retry(0));
    const former = await one.drainOne();
    await one.settle([former], retry(0));
    const present = await one.drainOne();
    expect(await one.ports.broker.renew([former])).toEqual([]);
    expect(await one.ports.broker.renew([present])).toEqual([present]);
    await one.ports.broker.markStarted([former]);
    await one.giveUp();
    await two.own(0);
    expect((await two.drainOne()).state).toEqual(FAILED_TWICE);
  });

  promise('followers that the owner already has take their places behind it, and come back in order', async () => {
    const { stage, one } = await pair('a1', 'a2', 'b1', 'a3', 'a4');
    const [a1, a2, , a3, a4] = await one.drain();
    expect(await one.settle([a4!, a2!, a3!], { type: 'follow' })).toEqual(['settled', 'settled', 'settled']);
    await stage.send(...keyed('a5'));
    expect(await one.drain()).toEqual([]);
    await one.settle([a1!], retry(0));
    const [again] = await one.drain();
    expect(again!.message.body.toString()).toBe('a1');
    await one.ack(again!);
    expect(bodies(await one.drain())).toEqual(['a2', 'a3', 'a4', 'a5']);
  });

  for (const settlement of [
    { type: 'ack', leadsParked: true },
    { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE },
  ] as const) {
    promise(`followers that were parked while the head runs go on after its ${settlement.type}`, async () => {
      const { one } = await pair('a1', 'a2', 'a3');
      const [a1, ...rest] = await one.drain();
      await one.settle(rest, { type: 'follow' });
      expect(await one.drain()).toEqual([]);
      expect(await one.settle([a1!], settlement)).toEqual(['settled']);
      expect(bodies(await one.drain())).toEqual(['a2', 'a3']);
    });
  }

  promise('a follower that finds its key no longer parked is delivered again, when asked to be', async () => {
    const { one } = await pair('a1', 'a2');
    await one.settle(await one.drain(), { type: 'follow', wake: true });
    expect(bodies(await one.drain())).toEqual(['a1', 'a2']);
  });

  promise('a follower does not wake a key that waits for its time', async () => {
    const { one } = await pair('a1', 'a2');
    const [a1, a2] = await one.drain();
    await one.settle([a1!], retry(60_000));
    await one.settle([a2!], { type: 'follow', wake: true });
    expect(await one.drain()).toEqual([]);
  });

  promise('a long row comes in pages, in order, one after the other', async () => {
    const { stage, one } = await pair('a0');
    await one.settle(await one.drain(), retry(0));
    const texts = Array.from({ length: 150 }, (_, index) => `a${index + 1}`);
    await stage.send(...keyed(...texts));
    const seen: string[] = [];
    for (let page = await one.drain(); page.length > 0; page = await one.drain()) {
      expect(page.length).toBeLessThan(texts.length);
      for (const delivery of page) expect(await one.ack(delivery)).toEqual(['settled']);
      seen.push(...bodies(page));
    }
    expect(seen).toEqual(['a0', ...texts]);
    expect(await stage.group('g')).toMatchObject({ parked: 0, leased: 0, done: 151 });
  });

  promise('when the first of a page fails, the rest of the page comes again behind it', async () => {
    const { one } = await pair('a0', 'a1', 'a2');
    const [a0, ...rest] = await one.drain();
    await one.settle(rest, { type: 'follow' });
    await one.settle([a0!], { type: 'ack', leadsParked: true });
    const [a1, a2] = await one.drain();
    await one.settle([a1!], retry(0));
    expect(await one.ack(a2!)).toEqual(['lease-lost']);
    const [again] = await one.drain();
    expect(again!.message.body.toString()).toBe('a1');
    await one.ack(again!);
    expect(bodies(await one.drain())).toEqual(['a2']);
  });

  promise('a message of a page that is skipped out of turn does not bring the next page', async () => {
    const { stage, one } = await pair('a0');
    await one.settle(await one.drain(), retry(0));
    await stage.send(...keyed(...Array.from({ length: 80 }, (_, index) => `a${index + 1}`)));
    await one.ack(...(await one.drain()));
    const page = await one.drain();
    expect(page.length).toBeGreaterThan(1);
    expect(await one.settle([page.at(-1)!], { type: 'ack', skipped: true })).toEqual(['settled']);
    expect(await one.drain()).toEqual([]);
    await one.ack(...page.slice(0, -1));
    expect((await one.drain()).length).toBe(80 - page.length);
  });

  promise('messages without a key are retried as in a concurrent group', async () => {
    const stage = await scene();
    await stage.send('x', 'y');
    const one = await (await stage.member('g', ORDERED)).own(0);
    const [x, y] = await one.drain();
    await one.settle([x!], retry(20));
    await one.settle([y!], { type: 'release', delayMs: 0 });
    const found: Delivery[] = [];
    await stage.eventually('both come again', async () => {
      await stage.promote();
      found.push(...(await one.drain()));
      return found.length === 2;
    });
    expect(found.map(({ source, message, state }) => [source, message.body.toString(), state.attempt])).toEqual([
      ['retry', 'y', 1],
      ['retry', 'x', 3],
    ]);
    expect(await one.ack(...found)).toEqual(['settled', 'settled']);
  });

  promise('a released keyed message comes again first of its key, unchanged and uncounted', async () => {
    const { stage, one } = await pair('a1', 'a2');
    const [a1, a2] = await one.drain();
    await one.settle([a2!], { type: 'follow' });
    await one.settle([a1!], { type: 'release', delayMs: 20 });
    const again = await next(stage, one);
    expect(bodies(again)).toEqual(['a1']);
    expect(again[0]!.state).toEqual(FIRST_DELIVERY);
  });

  promise('a new owner waits out the back-off that the former one left, and goes on with its state', async () => {
    const { stage, one, two } = await pair('a1', 'a2');
    const [a1, a2] = await one.drain();
    await one.settle([a2!], { type: 'follow' });
    await one.settle([a1!], retry(40));
    const dueAt = stage.subject.now() + 38;
    await one.giveUp();
    await two.own(0);
    const again = await next(stage, two);
    expect(stage.subject.now()).toBeGreaterThanOrEqual(dueAt);
    expect(again).toMatchObject([{ state: FAILED_TWICE }]);
    await two.ack(...again);
    expect(bodies(await two.drain())).toEqual(['a2']);
  });

  promise(
    'a new owner gets what was out of a parked key again, in order; the former one cannot settle it',
    async () => {
      const { stage, one, two } = await pair('a0');
      await one.settle(await one.drain(), retry(0));
      await stage.send(...keyed('a1', 'a2', 'a3'));
      await one.ack(...(await one.drain()));
      const [a1, ...rest] = await one.drain();
      await one.ack(a1!);
      await one.ports.broker.markStarted([rest[0]!]);
      await one.giveUp();
      await two.own(0);
      const again = await two.drain();
      expect(bodies(again)).toEqual(['a2', 'a3']);
      expect(again.map(({ state }) => state.crashes)).toEqual([1, 0]);
      expect(await one.ack(...rest)).toEqual(['lease-lost', 'lease-lost']);
      expect(await one.ports.broker.renew(rest)).toEqual([]);
      expect(await two.ports.broker.renew(again)).toHaveLength(2);
      expect(await two.ack(...again)).toEqual(['settled', 'settled']);
    },
  );

  promise('a head that died with its owner goes before the followers that were parked behind it', async () => {
    const { one, two } = await pair('a1', 'a2', 'b1');
    const [a1, a2] = await one.drain();
    await one.ports.broker.markStarted([a1!]);
    await one.settle([a2!], { type: 'follow' });
    await one.giveUp();
    await two.own(0);
    const [head, ...rest] = ofA(await two.drain());
    expect(await two.ack(head!)).toEqual(['settled']);
    const all = [head!, ...rest, ...ofA(await two.drain())];
    expect(all.map(({ message, state }) => `${message.body.toString()} ${state.crashes}`)).toEqual(['a1 1', 'a2 0']);
  });

  promise('what is parked does not keep its topic from being trimmed, and outlives that', async () => {
    // An implementation may trim in blocks of some hundred entries.
    const texts = Array.from({ length: 600 }, (_, index) => `a${index}`);
    const stage = await scene({ retention: 0 });
    await stage.send(...keyed(...texts));
    const one = await (await stage.member('g', ORDERED)).own(0);
    const [a0] = await one.receive({ max: 1 });
    await one.settle([a0!], retry(0));
    expect(await one.receive({ max: 1 })).toMatchObject([{ source: 'parked' }]);
    while ((await stage.group('g')).ready > 0) await one.receive();
    await stage.subject.advance(2);
    expect(await stage.ports.broker.trim(stage.topic)).toBeGreaterThan(0);
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 1, parked: 599 });
  });

  promise('a parked key that is due does not wait for the backlog of its queue', async () => {
    const { stage, one } = await pair('a1');
    await one.settle(await one.drain(), retry(0));
    await stage.send(...keyed(...Array.from({ length: 100 }, (_, index) => `b${index}`)));
    const found: Delivery[] = [];
    for (let read = 0; read < 8; read++) found.push(...(await one.receive({ max: 4 })));
    expect(bodies(ofA(found))).toEqual(['a1']);
    expect(bodies(found).filter((body) => body !== 'a1')).toEqual(found.slice(1).map((_, index) => `b${index}`));
  });

  promise('a redriven message whose key is parked waits with it', async () => {
    const { stage, one } = await pair('a1', 'a2');
    const [a1, a2] = await one.drain();
    await one.settle([a1!], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
    await one.settle([a2!], retry(60_000));
    await stage.ports.admin.redrive(stage.topic, 'g', { max: 1 });
    expect(await one.drain()).toEqual([]);
    expect(await stage.group('g')).toMatchObject({ retrying: 1, parked: 1 });
  });

  for (const { verb, settlement } of SETTLEMENTS) {
    promise(`an older epoch cannot ${verb} what it had of a parked key: nothing is written`, async () => {
      const { stage, one, two } = await pair('a1');
      await one.settle(await one.drain(), retry(0));
      const late = await one.drainOne();
      await one.giveUp();
      await two.own(0);
      const before = await stage.ports.admin.stats(stage.topic);
      expect(await one.settle([late], settlement)).toEqual(['lease-lost']);
      expect(await stage.ports.admin.stats(stage.topic)).toEqual(before);
      expect(await two.ack(await two.drainOne())).toEqual(['settled']);
    });
  }
}
