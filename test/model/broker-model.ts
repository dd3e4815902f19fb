// The broker as a few sets and maps: what every answer and every count must be. Pure; knows nothing of Redis.
import { queueOf } from '@millrace/core';
import { GroupModel, type Place } from './group-model.js';
import { recordOf, type Draft } from './draft.js';

/** How a topic of the model is made. */
export interface Shape {
  readonly shards: number;
  readonly queues: number;
}

interface Known {
  readonly id: string;
  readonly text: string;
  readonly place: Place;
  readonly record: string | undefined;
  /** Undefined once it is ready. */
  scheduled: { due: boolean } | undefined;
}

export type ExpectedSend =
  | {
      readonly ok: true;
      readonly messageId: string;
      readonly duplicate: boolean;
      readonly state: string;
      readonly queue: number;
    }
  | { readonly ok: false; readonly messageId: string };

export type Ref = { readonly messageId: string } | { readonly idempotencyKey: string; readonly orderingKey?: string };

export class BrokerModel {
  readonly groups: ReadonlyMap<string, GroupModel>;
  /** Messages by id; a cancelled one is forgotten, as its identity is. */
  readonly messages = new Map<string, Known>();
  /** Ids in the order of their first sends. */
  readonly ids: string[] = [];
  /** By queue over all shards: what became ready, in order. Equal ranks became ready in one step, in any order. */
  readonly log: { readonly id: string; readonly rank: number }[][];
  accepted = 0;
  cancelled = 0;
  trimmed = 0;
  private readonly records = new Map<string, string>();
  private rank = 0;

  constructor(
    readonly shape: Shape,
    groups: readonly string[],
  ) {
    this.groups = new Map(groups.map((name) => [name, new GroupModel(shape)]));
    this.log = Array.from({ length: shape.queues }, () => []);
  }

  get scheduled(): number {
    return [...this.messages.values()].filter(({ scheduled }) => scheduled).length;
  }

  /** A new step: what becomes ready from here on is behind what did before. */
  step(): number {
    return ++this.rank;
  }

  send(draft: Draft, id: string): ExpectedSend {
    const record = recordOf(draft);
    const text = `${draft.tag}/${draft.body}`;
    const known = record === undefined ? undefined : this.messages.get(this.records.get(record) ?? '');
    if (known && known.text !== text) return { ok: false, messageId: known.id };
    const queue = queueOf(draft.orderingKey ?? draft.idempotencyKey ?? id, this.shape.queues);
    if (known) {
      const state = known.scheduled ? 'scheduled' : 'accepted';
      return { ok: true, messageId: known.id, duplicate: true, state, queue: known.place.queue };
    }
    const perShard = this.shape.queues / this.shape.shards;
    const place = { queue, shard: Math.floor(queue / perShard) };
    const scheduled = draft.isDelayed ? { due: false } : undefined;
    this.messages.set(id, { id, text, place, record, scheduled });
    this.ids.push(id);
    if (record !== undefined) this.records.set(record, id);
    this.accepted++;
    if (!scheduled) this.becomeReady(id, this.step());
    return { ok: true, messageId: id, duplicate: false, state: scheduled ? 'scheduled' : 'accepted', queue };
  }

  cancel(ref: Ref): string {
    const found = this.find(ref);
    if (typeof found === 'string') return found;
    this.messages.delete(found.id);
    this.ids.splice(this.ids.indexOf(found.id), 1);
    if (found.record !== undefined) this.records.delete(found.record);
    this.cancelled++;
    return 'cancelled';
  }

  reschedule(ref: Ref, due: boolean): string {
    const found = this.find(ref);
    if (typeof found === 'string') return found;
    found.scheduled = { due };
    return 'rescheduled';
  }

  /** An hour passes: whatever was scheduled is due. */
  advance(): void {
    for (const { scheduled } of this.messages.values()) if (scheduled) scheduled.due = true;
    for (const group of this.groups.values()) for (const retry of group.retrying) retry.due = true;
  }

  /** How many become ready. */
  promote(shard: number): number {
    const rank = this.step();
    const due = [...this.messages.values()].filter(({ scheduled, place }) => scheduled?.due && place.shard === shard);
    for (const message of due) {
      message.scheduled = undefined;
      this.becomeReady(message.id, rank);
    }
    return [...this.groups.values()].reduce((sum, group) => sum + group.promote(shard, rank), due.length);
  }

  isAnythingWaiting(shard: number): boolean {
    const isScheduled = [...this.messages.values()].some(({ scheduled, place }) => scheduled && place.shard === shard);
    return (
      isScheduled ||
      [...this.groups.values()].some((group) => group.retrying.some(({ place }) => place.shard === shard))
    );
  }

  private becomeReady(id: string, rank: number): void {
    const { place } = this.messages.get(id)!;
    this.log[place.queue]!.push({ id, rank });
    for (const group of this.groups.values())
      group.add(`q${place.queue}`, { id, place, attempt: 1, crashes: 0, generation: 0 }, rank);
  }

  private find(ref: Ref): Known | 'already-delivered' | 'not-found' {
    const record = recordOf(ref);
    const recorded = this.records.get(record!);
    const message = this.messages.get('messageId' in ref ? ref.messageId : (recorded ?? ''));
    if (message?.scheduled) return message;
    return recorded === undefined ? 'not-found' : 'already-delivered';
  }
}
