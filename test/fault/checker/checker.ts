// Holds a history against the promises. Multisets, as in Jepsen's total-queue checker: lost = acknowledged − handled,
// unexpected = handled − attempted. Everything is counted in one pass over the events, oldest first.
import { POISON, type RecordedEvent } from '../history/fault-event.js';
import * as ledger from '../history/message-ledger.js';
import { FenceOrder } from './fence-order.js';
import { KeyOrder } from './key-order.js';
import type { Rules } from './rules.js';

export interface Findings {
  messages: number;
  acknowledged: number;
  /** Sends whose fate the producer never learned. */
  unknown: number;
  refused: number;
  cancelled: number;
  /** Over all groups. */
  handled: number;
  /** Acknowledged and neither handled nor dead nor cancelled, over all groups. */
  lost: number;
  /** The same, but the fault had taken them and the rules say that it may. */
  forgotten: number;
  /** Handled although never attempted, certainly refused, or certainly cancelled. */
  unexpected: number;
  duplicated: number;
  /** Of these, where the rules allow none. */
  repeated: number;
  reordered: number;
  overlapping: number;
  early: number;
  /** Payload or message id differ from what was sent. */
  changed: number;
  /** More attempts than allowed, dead letters of the wrong messages or doubled, or poison that was handled. */
  misjudged: number;
  /** Rows in the database. */
  effects: number;
  /** Messages with more than one row, or handled through the inbox without one. */
  wrongEffects: number;
  /** Runs that share a fence, and effects under a fence of no run or an older one than was stored. */
  misfenced: number;
  leasesLost: number;
  /** Longest time without any handler finishing, between the first and the last, in ms. */
  longestStallMs: number;
  /** A few of what was found, for whoever looks into it. */
  examples: string[];
}

type Violation =
  | 'lost'
  | 'unexpected'
  | 'repeated'
  | 'reordered'
  | 'early'
  | 'changed'
  | 'misjudged'
  | 'wrongEffects'
  | 'misfenced';

const MAX_EXAMPLES = 12;

export class Checker {
  private readonly producers = new Map<number, ledger.MessageLedger>();
  private readonly orders = new Map<number, KeyOrder>();
  private readonly fences = new Map<number, FenceOrder>();
  private readonly effectOrders = new Map<number, Map<number, number>>();
  private readonly failedAt = new Map<string, number>();
  private lastDoneAt = NaN;
  private readonly found: Findings = {
    messages: 0,
    acknowledged: 0,
    unknown: 0,
    refused: 0,
    cancelled: 0,
    handled: 0,
    lost: 0,
    forgotten: 0,
    unexpected: 0,
    duplicated: 0,
    repeated: 0,
    reordered: 0,
    overlapping: 0,
    early: 0,
    changed: 0,
    misjudged: 0,
    effects: 0,
    wrongEffects: 0,
    misfenced: 0,
    leasesLost: 0,
    longestStallMs: 0,
    examples: [],
  };
  /** What the server may have forgotten: everything attempted before, or what was acknowledged in a stretch of time. */
  private readonly gaps: { from: number; to: number; all: boolean }[] = [];

  constructor(private readonly rules: Rules) {
    rules.groups.forEach(({ ordered, inbox }, number) => {
      if (ordered) this.orders.set(number, new KeyOrder());
      // A server that went back in time hands out the same fences again.
      if (inbox && !rules.mayRewind) this.fences.set(number, new FenceOrder());
    });
  }

  take(event: RecordedEvent): void {
    const { kind, n } = event;
    if (kind === 'died') {
      for (const order of this.orders.values()) order.died(event.run);
      return;
    }
    if (kind === 'forgotten') {
      this.gaps.push({ from: event.at - event.wall, to: event.at, all: event.wall === Infinity });
      return;
    }
    if (kind === 'lease-lost') {
      this.found.leasesLost++;
      return;
    }
    const known = this.of(event.producer);
    switch (kind) {
      case 'attempt':
        return this.attempted(known, event);
      case 'ok':
        if (Number.isNaN(known.acknowledgedAt[n] ?? NaN)) {
          known.mark(n, ledger.OK);
          known.acknowledgedAt[n] = event.at;
        }
        return this.identified(known, event, 'acknowledged');
      case 'fail':
        return known.mark(n, ledger.FAILED);
      case 'info':
        return known.mark(n, ledger.UNKNOWN);
      case 'cancel-asked':
        return known.mark(n, ledger.CANCEL_ASKED);
      case 'cancelled':
        return known.mark(n, ledger.CANCELLED);
      case 'cancel-refused':
        return known.mark(n, ledger.CANCEL_REFUSED);
      default:
        return this.delivered(known, event);
    }
  }

  /** After the last event. */
  findings(): Findings {
    for (const [producer, known] of this.producers) {
      for (let n = 0; n < known.size; n++) this.conclude(producer, known, n);
    }
    for (const order of this.orders.values()) this.concludeOrder(order);
    return this.found;
  }

  private of(producer: number): ledger.MessageLedger {
    let known = this.producers.get(producer);
    if (!known) this.producers.set(producer, (known = new ledger.MessageLedger()));
    return known;
  }

  private attempted(known: ledger.MessageLedger, { n, at, sum, wall, flags }: RecordedEvent): void {
    const again = known.has(n, ledger.ATTEMPTED);
    known.mark(n, ledger.ATTEMPTED);
    if (flags & POISON) known.mark(n, ledger.POISONED);
    if (again) return;
    known.sum[n] = sum;
    known.due[n] = wall;
    known.attemptedAt[n] = at;
  }

  /** The receipt and every delivery must name one message id. */
  private identified(known: ledger.MessageLedger, { producer, n, id }: RecordedEvent, by: string): void {
    if (id === 0) return;
    if (known.id[n] === 0) known.id[n] = id;
    else if (known.id[n] !== id) this.report('changed', `${producer}/${n}: another message id when ${by}`);
  }

  private delivered(known: ledger.MessageLedger, event: RecordedEvent): void {
    const { kind, producer, n, at } = event;
    const name = `${producer}/${n} in group ${event.group}`;
    known.touch(n);
    const group = known.group(event.group);
    if (kind === 'effect') return this.effect(known, group, event);
    if (kind === 'dead') {
      if (ledger.count(group.dead, n) > 1) this.report('misjudged', `${name}: ${group.dead[n]} dead letters`);
      return;
    }
    this.orders.get(event.group)?.take(event, known.due[n]! > 0);
    if (kind === 'start') return this.started(known, group, event, name);
    const run = `${event.group}:${producer}:${n}`;
    if (kind === 'failed') this.failedAt.set(run, at);
    if (kind !== 'done') return;
    this.failedAt.delete(run);
    if (ledger.count(group.done, n) > 1) this.duplicate(event.group, name);
    else this.found.handled++;
    if (!Number.isNaN(this.lastDoneAt))
      this.found.longestStallMs = Math.max(this.found.longestStallMs, Math.round(at - this.lastDoneAt));
    this.lastDoneAt = at;
  }

  private duplicate(group: number, name: string): void {
    this.found.duplicated++;
    if (this.rules.noDuplicates || this.rules.groups[group]?.noDuplicates)
      this.report('repeated', `${name}: done again`);
  }

  private started(known: ledger.MessageLedger, group: ledger.GroupLedger, event: RecordedEvent, name: string): void {
    const { n, wall, sum, attempt } = event;
    const { maxAttempts = Infinity, backoffMs = 0 } = this.rules.groups[event.group] ?? {};
    group.started[n] = 1;
    if (!known.has(n, ledger.ATTEMPTED)) return this.report('unexpected', `${name}: never sent`);
    if (wall < known.due[n]!) this.report('early', `${name}: ${known.due[n]! - wall} ms early`);
    if (sum !== known.sum[n]) this.report('changed', `${name}: another payload`);
    this.identified(known, event, 'delivered');
    this.fenced(name, this.fences.get(event.group)?.started(event));
    if (attempt > maxAttempts) this.report('misjudged', `${name}: attempt ${attempt}`);
    const failedAt = this.failedAt.get(`${event.group}:${event.producer}:${n}`);
    if (failedAt !== undefined && attempt > 1 && event.at - failedAt < backoffMs - 1)
      this.report('early', `${name}: attempt ${attempt} came ${Math.round(event.at - failedAt)} ms after the failure`);
  }

  private effect(known: ledger.MessageLedger, group: ledger.GroupLedger, event: RecordedEvent): void {
    const { producer, n, group: number, key } = event;
    this.found.effects++;
    this.fenced(`${producer}/${n} in group ${number}`, this.fences.get(number)?.stored(event));
    if (ledger.count(group.effects, n) > 1)
      this.report('wrongEffects', `${producer}/${n}: ${group.effects[n]} effects`);
    if (!this.rules.groups[number]?.ordered || key === 0 || known.due[n]! > 0) return;
    let latest = this.effectOrders.get(number);
    if (!latest) this.effectOrders.set(number, (latest = new Map()));
    if (n < (latest.get(key) ?? -1))
      this.report('reordered', `${producer}/${n}: effect after that of ${latest.get(key)}`);
    latest.set(key, Math.max(n, latest.get(key) ?? -1));
  }

  private fenced(name: string, problem: string | undefined): void {
    if (problem !== undefined) this.report('misfenced', `${name}: ${problem}`);
  }

  private conclude(producer: number, known: ledger.MessageLedger, n: number): void {
    const has = (bit: number): boolean => known.has(n, bit);
    const { found } = this;
    if (!has(ledger.ATTEMPTED)) return;
    found.messages++;
    if (has(ledger.OK)) found.acknowledged++;
    else if (has(ledger.UNKNOWN)) found.unknown++;
    else if (has(ledger.FAILED)) found.refused++;
    // Neither: the producer was killed before it heard the answer.
    else found.unknown++;
    if (has(ledger.CANCELLED)) found.cancelled++;
    this.rules.groups.forEach((rules, number) => {
      const name = `${producer}/${n} in group ${rules.name}`;
      const { done, started, dead, effects } = known.group(number);
      const isRefused = has(ledger.FAILED) && !has(ledger.OK | ledger.UNKNOWN);
      if (started[n] && isRefused) this.report('unexpected', `${name}: refused, and yet delivered`);
      if (started[n] && has(ledger.CANCELLED)) this.report('unexpected', `${name}: cancelled, and yet delivered`);
      if (has(ledger.POISONED) && done[n]) this.report('misjudged', `${name}: poison was handled`);
      if (dead[n] && !has(ledger.POISONED)) this.report('misjudged', `${name}: is a dead letter`);
      if (rules.inbox && done[n] && !effects[n]) this.report('wrongEffects', `${name}: handled without effect`);
      const cancelled = has(ledger.CANCELLED) || (has(ledger.CANCEL_ASKED) && !has(ledger.CANCEL_REFUSED));
      if (!has(ledger.OK) || done[n] || dead[n] || cancelled || rules.partial) return;
      if (this.isExcused(known, n)) found.forgotten++;
      else this.report('lost', `${name}: acknowledged and not handled`);
    });
  }

  private isExcused(known: ledger.MessageLedger, n: number): boolean {
    const attempted = known.attemptedAt[n]!;
    const acknowledged = known.acknowledgedAt[n]!;
    return this.gaps.some(({ from, to, all }) =>
      all ? attempted < to : attempted < to && acknowledged >= from && acknowledged <= to,
    );
  }

  private concludeOrder({ disorders, overlaps }: KeyOrder): void {
    const { mayRewind, mayOverlap } = this.rules;
    if (!mayOverlap) this.found.overlapping += overlaps;
    if (mayRewind || mayOverlap) return;
    for (const { producer, n, after } of disorders) {
      // A send whose fate was unknown for a while may have been stored late, by its replay.
      if (this.of(producer).has(n, ledger.UNKNOWN)) continue;
      this.report('reordered', `${producer}/${n}: started after ${after} of its key`);
    }
  }

  private report(what: Violation, example: string): void {
    this.found[what]++;
    if (this.found.examples.length < MAX_EXAMPLES) this.found.examples.push(`${what}: ${example}`);
  }
}
