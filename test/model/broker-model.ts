// The broker as a few sets and maps: what every answer and every count must be. Pure; knows nothing of Redis.
import { HALF_OUTCOME_MS, queueOf, shareOf } from '@millrace/core';
import { ConcurrentModel } from './concurrent-model.js';
import { delayOf, recordOf, routingKeyOf, type Draft } from './draft.js';
import { OrderedModel } from './ordered-model.js';
import { queuesOf, Steps, type Shape } from './shape.js';
import type { Place } from './travelling.js';

interface Known {
  readonly id: string;
  readonly text: string;
  readonly orderingKey: string;
  readonly routingKey: string;
  readonly place: Place;
  readonly record: string | undefined;
  /** While it waits for its time. */
  due?: number;
  /** Not committed yet: the delay that counts from then, if any. */
  half?: { readonly delayMs: number | undefined };
}

export type ExpectedSend =
  | { ok: true; messageId: string; duplicate: boolean; state: string; queue: number }
  | { ok: false; code: string; messageId?: string };

export type Ref = { readonly messageId: string } | { readonly idempotencyKey: string; readonly orderingKey?: string };

/** The one of a topic or a group, as long as it has not ended by itself. */
export interface PauseModel {
  readonly until?: number;
}

const FULL: ExpectedSend = { ok: false, code: 'MQ_TOPIC_FULL' };

export class BrokerModel {
  readonly steps: Steps;
  readonly concurrent: ConcurrentModel;
  readonly ordered: OrderedModel;
  /** Messages by id; a cancelled or rolled back one is forgotten, as its identity is. */
  readonly messages = new Map<string, Known>();
  /** Ids in the order of their first sends. */
  readonly ids: string[] = [];
  /** By queue over all shards: ids in the order in which they became ready. */
  readonly log: string[][];
  /** All that there ever were. */
  readonly halves: { readonly messageId: string; readonly routingKey: string }[] = [];
  readonly pauses = new Map<'topic' | 'g' | 'o', PauseModel>();
  accepted = 0;
  cancelled = 0;
  rolledBack = 0;
  trimmed = 0;
  private readonly records = new Map<string, string>();
  private readonly outcomes = new Map<string, { state: string; until: number }>();

  constructor(
    readonly shape: Shape,
    now: number,
  ) {
    this.steps = new Steps(now);
    this.concurrent = new ConcurrentModel('g', shape, this.steps);
    this.ordered = new OrderedModel('o', shape, this.steps);
    this.log = Array.from({ length: shape.queues }, () => []);
  }

  get groups(): readonly [ConcurrentModel, OrderedModel] {
    return [this.concurrent, this.ordered];
  }

  get now(): number {
    return this.steps.now;
  }

  get scheduled(): number {
    return [...this.messages.values()].filter(({ due }) => due !== undefined).length;
  }

  send(draft: Draft, id: string, index: number): ExpectedSend {
    const known = this.known(draft);
    if (known) return known;
    const delayMs = delayOf(draft, index);
    const message = this.store(draft, id);
    if (delayMs === undefined && !this.hasRoom(message.place.shard)) return FULL;
    this.keep(message);
    if (delayMs === undefined) this.becomeReady(message, true);
    else message.due = this.now + delayMs;
    return this.receipt(message, false);
  }

  /** A half message needs no room, and nobody sees it. */
  prepare(draft: Draft, id: string): ExpectedSend {
    const known = this.known(draft);
    if (known) return known;
    const message = this.store(draft, id);
    message.half = { delayMs: delayOf(draft, 0) };
    this.keep(message);
    this.halves.push({ messageId: id, routingKey: message.routingKey });
    this.outcomes.delete(id);
    return this.receipt(message, false);
  }

  /** The first decision holds, and is remembered for a while. */
  decide(id: string, decision: 'committed' | 'rolled-back'): string {
    const message = this.messages.get(id);
    if (!message?.half) {
      const outcome = this.outcomes.get(id);
      return outcome && outcome.until > this.now ? outcome.state : 'not-found';
    }
    this.outcomes.set(id, { state: decision, until: this.now + HALF_OUTCOME_MS });
    const { delayMs } = message.half;
    message.half = undefined;
    if (decision === 'rolled-back') {
      this.forget(message);
      this.rolledBack++;
    } else if (delayMs === undefined) this.becomeReady(message, false);
    else message.due = this.now + delayMs;
    return decision;
  }

  cancel(ref: Ref): string {
    const found = this.find(ref);
    if (typeof found === 'string') return found;
    this.forget(found);
    this.cancelled++;
    return 'cancelled';
  }

  reschedule(ref: Ref, delayMs: number): string {
    const found = this.find(ref);
    if (typeof found === 'string') return found;
    found.due = this.now + delayMs;
    return 'rescheduled';
  }

  /** How many become ready. */
  promote(shard: number): number {
    const here = [...this.messages.values()].filter(({ due, place }) => due !== undefined && place.shard === shard);
    const due = here.filter((message) => message.due! <= this.now).toSorted((a, b) => a.due! - b.due!);
    for (const message of due) {
      message.due = undefined;
      this.becomeReady(message, false);
    }
    return this.groups.reduce((sum, group) => sum + group.promote(shard), due.length);
  }

  /** Until something of the shard is due. */
  nextDueInMs(shard: number): number | undefined {
    const delayed = [...this.messages.values()].filter(({ place }) => place.shard === shard).map(({ due }) => due);
    const all = [...delayed, ...this.groups.flatMap((group) => group.dues(shard))].filter((due) => due !== undefined);
    return all.length === 0 ? undefined : Math.max(0, Math.min(...all) - this.now);
  }

  pauseOf(scope: 'topic' | 'g' | 'o'): PauseModel | undefined {
    const pause = this.pauses.get(scope);
    return pause && (pause.until === undefined || pause.until > this.now) ? pause : undefined;
  }

  private known(draft: Draft): ExpectedSend | undefined {
    const record = recordOf(draft);
    const known = record === undefined ? undefined : this.messages.get(this.records.get(record) ?? '');
    if (!known) return undefined;
    if (known.text !== textOf(draft)) return { ok: false, code: 'MQ_IDEMPOTENCY_CONFLICT', messageId: known.id };
    return this.receipt(known, true);
  }

  private receipt({ id, due, half, place }: Known, duplicate: boolean): ExpectedSend {
    const state = half ? 'half' : due === undefined ? 'accepted' : 'scheduled';
    return { ok: true, messageId: id, duplicate, state, queue: place.queue };
  }

  private store(draft: Draft, id: string): Known {
    const { queues, shards } = this.shape;
    const routingKey = routingKeyOf(draft, id);
    const queue = queueOf(routingKey, queues);
    const place = { queue, shard: Math.floor((queue * shards) / queues) };
    const { orderingKey = '' } = draft;
    return { id, text: textOf(draft), orderingKey, routingKey, place, record: recordOf(draft) };
  }

  private keep(message: Known): void {
    const { id, record } = message;
    this.messages.set(id, message);
    this.ids.push(id);
    if (record !== undefined) this.records.set(record, id);
    this.accepted++;
  }

  private forget({ id, record }: Known): void {
    this.messages.delete(id);
    this.ids.splice(this.ids.indexOf(id), 1);
    if (record !== undefined) this.records.delete(record);
  }

  private becomeReady({ id, place, orderingKey }: Known, makesRoom: boolean): void {
    this.log[place.queue]!.push(id);
    const anew = { attempt: 1, crashes: 0, generation: 0, readyAt: this.now };
    for (const group of this.groups) group.add(`q${place.queue}`, { id, orderingKey, place, ...anew });
    if (makesRoom && this.shape.onFull === 'drop-oldest')
      for (const group of this.groups) while (group.backlog(place.shard) > this.share) group.dropOldest(place.shard);
  }

  private hasRoom(shard: number): boolean {
    if (this.shape.onFull !== 'reject') return true;
    return Math.max(...this.groups.map((group) => group.backlog(shard))) < this.share;
  }

  private get share(): number {
    return shareOf(this.shape.maxLength!, this.shape.shards);
  }

  private find(ref: Ref): Known | 'already-delivered' | 'not-found' | 'half' {
    const recorded = this.records.get(recordOf(ref)!);
    const message = this.messages.get('messageId' in ref ? ref.messageId : (recorded ?? ''));
    if (message?.half) return 'half';
    if (message?.due !== undefined) return message;
    return recorded === undefined ? 'not-found' : 'already-delivered';
  }
}

const textOf = ({ tag, body }: Draft): string => `${tag}/${body}`;
export const allQueues = (shape: Shape): number[] =>
  Array.from({ length: shape.shards }, (_, shard) => queuesOf(shard, shape)).flat();
