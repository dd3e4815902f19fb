// A million delayed messages, due within ten minutes of virtual time on a real server, some of them cancelled or moved at
// the last moment. Time goes on in leaps of chance; after each leap what is due must come, in order, and nothing else.
import { topicSpec, type Broker, type Subscription } from '@millrace/core';
import { connectVirtualRedis, ManualClock } from '@millrace/testing';
import type { Claim } from '../claim.js';
import { DueLedger } from '../due-ledger.js';
import { fill, numberOf } from '../fill.js';
import type { Ground } from '../ground.js';

const TOPIC = 'delayed';
const SPAN_MS = 600_000;
const LONGEST_LEAP_MS = 400;
/** Of all messages; half of either at the last moment, so that they race with promotion. */
const CANCEL_SHARE = 0.05;
const MOVE_SHARE = 0.05;
const READ = 500;
/** To find one that is still open. */
const TRIES = 20;

export async function virtualTime(ground: Ground): Promise<Claim[]> {
  const { many, prng } = ground;
  const clock = new ManualClock();
  const redis = connectVirtualRedis({ connection: ground.server.url, clock });
  const { broker } = redis;
  try {
    await broker.declareTopic(topicSpec({ topic: TOPIC }));
    const who = { topic: TOPIC, group: 'billing', mode: 'concurrent', consumer: 'one', leaseMs: 30_000 } as const;
    const subscription = await broker.subscribe({ ...who, startFrom: 'first' });
    const start = clock.now();
    const due = Float64Array.from({ length: many }, () => start + prng.int(1, SPAN_MS));
    const optionsOf = (n: number) => ({ deliverAt: new Date(due[n]!) });
    const ids = await fill({ broker, topic: TOPIC, count: many, optionsOf, now: () => clock.now() });
    const run = new VirtualRun(ground, broker, subscription, ids, due);
    ground.say(`${many} messages are scheduled over ${SPAN_MS / 60_000} min`);
    for (const end = start + SPAN_MS; clock.now() < end;) {
      await clock.advance(Math.min(prng.int(1, LONGEST_LEAP_MS), end - clock.now()));
      await run.look(clock.now(), end);
    }
    const { scheduled, accepted, cancelled, groups } = await redis.admin.stats(TOPIC);
    return [...run.claims(), amiss('left or not accounted for', scheduled + accepted - cancelled - groups[0]!.done)];
  } finally {
    await broker.close();
  }
}

class VirtualRun {
  private readonly ledger: DueLedger;
  /** Numbers in the order of their first due times. */
  private readonly order: Uint32Array;
  private looks = 0;
  private changes = 0;

  constructor(
    private readonly ground: Ground,
    private readonly broker: Broker,
    private readonly subscription: Subscription,
    private readonly ids: readonly string[],
    private readonly due: Float64Array,
  ) {
    this.ledger = new DueLedger(ids.length);
    due.forEach((at, n) => this.ledger.scheduled(n, at));
    this.order = Uint32Array.from(due.keys()).toSorted((a, b) => due[a]! - due[b]!);
  }

  /** Everything that is due is promoted while some minds are changed; then it is delivered. */
  async look(now: number, end: number): Promise<void> {
    this.looks++;
    this.ledger.looks(now);
    const first = this.promote();
    const changes = this.changeMinds(now, end, first);
    await first;
    await Promise.all([this.promoteRest(), ...changes]);
    await this.deliver();
  }

  claims(): Claim[] {
    const { early, late, lost, unexpected, disordered, misanswered, examples, ...counts } = this.ledger.findings();
    const beside = { ...counts, looks: this.looks };
    return [
      amiss('delivered before they were due', early, {
        ...beside,
        ...(examples.length > 0 && { examples: examples.join('; ') }),
      }),
      amiss('delivered later than they were due', late),
      amiss('lost', lost),
      amiss('delivered twice, or although they were cancelled', unexpected),
      amiss('delivered out of the order of their due times in their queue', disordered),
      amiss('wrong answers to a cancel or reschedule', misanswered),
    ];
  }

  private async promote(): Promise<number> {
    return (await this.broker.promote(TOPIC, 0, { max: 100 })).promoted;
  }

  private async promoteRest(): Promise<void> {
    while ((await this.promote()) > 0);
  }

  private async deliver(): Promise<void> {
    const acks: Promise<unknown>[] = [];
    for (;;) {
      const found = await this.broker.receive(this.subscription, 0, { max: READ, waitMs: 0 });
      if (found.length === 0) break;
      for (const { message, queue } of found) this.ledger.delivered(numberOf(message.body), queue);
      acks.push(this.broker.settle(found.map((delivery) => ({ delivery, settlement: { type: 'ack' } as const }))));
    }
    await Promise.all(acks);
  }

  /** As many as keep up with the time that has gone by. Some are before the first call of promotion, some behind it. */
  private changeMinds(now: number, end: number, first: Promise<unknown>): Promise<void>[] {
    const wanted = this.ids.length * (CANCEL_SHARE + MOVE_SHARE) * (1 - (end - now) / SPAN_MS);
    const calls: Promise<void>[] = [];
    const { prng } = this.ground;
    for (; this.changes < wanted && now < end; this.changes++) {
      const n = this.openOne(now);
      if (n === undefined) continue;
      const isCancel = prng.chance(CANCEL_SHARE / (CANCEL_SHARE + MOVE_SHARE));
      const at = prng.int(now + 1, end);
      const change = (): Promise<void> => (isCancel ? this.cancel(n) : this.move(n, at));
      calls.push(prng.chance(0.5) ? change() : first.then(change));
    }
    return calls;
  }

  /** One that has not been delivered so far; every other one is due just now. */
  private openOne(now: number): number | undefined {
    const isNear = this.changes % 2 === 0;
    for (let tries = 0; tries < TRIES; tries++) {
      const n = isNear ? this.dueAbout(now) : this.someone();
      if (this.ledger.isOpen(n)) return n;
    }
    return undefined;
  }

  private someone(): number {
    return this.ground.prng.int(0, this.ids.length - 1);
  }

  /** One whose first due time is just now, give or take what is due in a leap. */
  private dueAbout(now: number): number {
    let [low, high] = [0, this.order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.due[this.order[middle]!]! < now) low = middle + 1;
      else high = middle;
    }
    const near = Math.ceil((LONGEST_LEAP_MS * this.order.length) / SPAN_MS);
    return this.order[Math.max(0, Math.min(this.order.length - 1, low + this.ground.prng.int(-near, near)))]!;
  }

  private async cancel(n: number): Promise<void> {
    const answer = await this.broker.cancel(TOPIC, { messageId: this.ids[n]! });
    if (answer === 'cancelled') this.ledger.cancelled(n);
    else this.ledger.refused(n);
  }

  private async move(n: number, atMs: number): Promise<void> {
    const answer = await this.broker.reschedule(TOPIC, { messageId: this.ids[n]! }, { atMs });
    if (answer === 'rescheduled') this.ledger.moved(n, atMs);
    else this.ledger.refused(n);
  }
}

function amiss(what: string, measured: number, beside?: Claim['beside']): Claim {
  return { what: `messages ${what}`, measured, limit: 0, unit: '', beside };
}
