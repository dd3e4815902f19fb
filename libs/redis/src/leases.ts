// Leases of single deliveries: renew, take over what expired, note what started.
import type { Delivery } from '@millrace/core';
import type { Caller } from './caller.js';
import type { RawEntry } from './entry-codec.js';
import {
  CallStreams,
  fieldOf,
  fieldPrefix,
  inOrder,
  isEarlier,
  markField,
  pendingName,
  REPLAY_CONSUMER,
  type NotedDelivery,
} from './delivery-names.js';
import { readNote, startedNote } from './entry-note.js';
import type { ScriptArgument } from './scripts.js';
import type { GroupShard, GroupStream } from './streams.js';

const PER_CALL = 200;
/** Pages of 64 pending entries of one stream in one look: live leases must not make a long list take for ever. */
const PAGES_PER_LOOK = 80;

/** The cursor of a list that was gone through to its end. */
const FROM_START = '-';

/** Of one stream. */
type ReclaimReply = [cursor: Buffer, entries: RawEntry[], notes: Buffer[]];

export class Leases {
  /** Where the next look at each stream's pending list goes on. */
  private readonly cursors = new Map<string, string>();

  constructor(
    private readonly shard: GroupShard,
    private readonly caller: Caller,
    /** Sends marks along with another call; undefined when there is none. */
    private readonly carry: (marks: readonly ScriptArgument[]) => Promise<void> | undefined,
  ) {}

  /** One mark for each stream; only what was taken over, or is read in order, needs a note of its own. */
  async markStarted(deliveries: readonly NotedDelivery[]): Promise<void> {
    const single = deliveries.filter(({ noted }) => noted !== undefined);
    const marks = single.length < deliveries.length ? this.marks(deliveries) : [];
    const calls = pages(single).map((page) => this.note(page));
    if (marks.length > 0) calls.push(this.carry(marks) ?? this.mark(marks));
    await Promise.all(calls);
  }

  async renew(deliveries: readonly Delivery[]): Promise<Delivery[]> {
    return (await Promise.all(pages(deliveries).map((page) => this.renewPage(page)))).flat();
  }

  async reclaim(max: number): Promise<Delivery[]> {
    const found: Delivery[] = [];
    let { streams } = this.shard;
    for (let page = 0; page < PAGES_PER_LOOK && streams.length > 0 && found.length < max; page++)
      streams = await this.reclaimPage(streams, max - found.length, found);
    return found;
  }

  /** One call for all streams: mostly nothing has expired, and every process of a group asks. Returns those with more pages. */
  private async reclaimPage(
    streams: readonly GroupStream[],
    max: number,
    found: Delivery[],
  ): Promise<readonly GroupStream[]> {
    const { subscription, group } = this.shard;
    const { group: name, consumer, leaseMs } = subscription;
    const ofStreams = streams.flatMap((stream) => [
      this.cursors.get(stream.key) ?? FROM_START,
      fieldPrefix(stream.source, stream.queue),
    ]);
    const lease = { until: this.caller.monotonic() + leaseMs };
    const reply = (await this.caller.run(
      'reclaim',
      [group.started, ...streams.map(({ key }) => key)],
      [name, consumer, leaseMs, max, REPLAY_CONSUMER, ...ofStreams],
      'buffer',
    )) as ReclaimReply[];
    return streams.filter((stream, place) => {
      const [next, entries, notes] = reply[place]!;
      const cursor = next.toString('latin1');
      this.cursors.set(stream.key, cursor);
      for (const [index, entry] of entries.entries())
        found.push(this.shard.delivery(stream, entry, lease, readNote(notes[index]!.toString('latin1'))));
      return cursor !== FROM_START;
    });
  }

  /** Up to which entry of each stream handlers have started. */
  private marks(deliveries: readonly NotedDelivery[]): ScriptArgument[] {
    const latest: Delivery[] = [];
    for (const delivery of deliveries) {
      if (delivery.noted !== undefined) continue;
      const place = this.shard.placeOf(delivery);
      const other = latest[place];
      if (!other || isEarlier(other.entryId, delivery.entryId)) latest[place] = delivery;
    }
    return latest.flatMap((delivery) => [markField(delivery.consumer, delivery), delivery.entryId]);
  }

  private async mark(marks: readonly ScriptArgument[]): Promise<void> {
    await this.caller.run('mark-started', [this.shard.group.started], marks);
  }

  private async note(deliveries: readonly NotedDelivery[]): Promise<void> {
    const { group, subscription } = this.shard;
    const streams = new CallStreams(this.shard);
    const ofStream: NotedDelivery[][] = [];
    for (const delivery of deliveries) (ofStream[streams.position(delivery) - 1] ??= []).push(delivery);
    const notes = ofStream.flatMap((noted, place) => {
      const { source, queue } = noted[0]!;
      inOrder(noted, ({ entryId }) => entryId);
      const entries = noted.map(({ entryId }) => entryId);
      return [streams.leases[place]!, fieldPrefix(source, queue), noted.length, ...entries, ...noted.map(startedNote)];
    });
    const args = [subscription.group, pendingName(deliveries[0]!), ofStream.length, ...notes];
    await this.caller.run('note-started', [group.started, group.owners, ...streams.keys, ...streams.parked], args);
  }

  private async renewPage(deliveries: readonly Delivery[]): Promise<Delivery[]> {
    const { subscription } = this.shard;
    const streams = new CallStreams(this.shard);
    const rest: ScriptArgument[] = [];
    for (const delivery of deliveries) rest.push(streams.position(delivery), fieldOf(delivery));
    const leaseStart = this.caller.monotonic();
    const args = [subscription.group, pendingName(deliveries[0]!), streams.leases.length, ...streams.leases, ...rest];
    const keys = [this.shard.group.owners, ...streams.keys, ...streams.parked];
    const lost = new Set((await this.caller.run('renew', keys, args)) as number[]);
    return deliveries.filter((delivery, index) => {
      if (lost.has(index)) return false;
      delivery.leaseUntil = leaseStart + subscription.leaseMs;
      return true;
    });
  }
}

function pages(deliveries: readonly Delivery[]): (readonly Delivery[])[] {
  const count = Math.ceil(deliveries.length / PER_CALL);
  return Array.from({ length: count }, (_, page) => deliveries.slice(page * PER_CALL, (page + 1) * PER_CALL));
}
