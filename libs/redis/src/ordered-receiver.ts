// Ordered mode: queues are read by a script that checks the lease in the same step; a blocking read without group only
// wakes. A frozen owner's blocked group read would swallow entries after its successor had looked for them.
import type { Delivery, QueueLease, ReceiveOptions } from '@millrace/core';
import type { BlockingReader } from './blocking-reader.js';
import type { Caller } from './caller.js';
import type { Connections } from './connections.js';
import type { RawEntry } from './entry-codec.js';
import { fieldPrefix, isEarlier, leaseText } from './delivery-names.js';
import { readNote } from './entry-note.js';
import type { ScriptArgument } from './scripts.js';
import type { GroupShard, GroupStream } from './streams.js';

/** Where the reading of one stream stands. */
interface StreamCursor {
  /** Id after which to look among entries that are pending, or `>` once there are none that we have not seen. */
  after: string;
  /** Latest id that came to us: what lies behind it joins its key when that is parked. */
  seen: string;
  /** Latest id of the stream when it was read: the waker waits for anything behind it. */
  last: string;
}

/** Where the reading of one queue stands under one epoch. */
interface QueueCursor {
  lease: QueueLease;
  /** The topic's queue, then the group's retries of it. */
  readonly streams: readonly { readonly stream: GroupStream; readonly cursor: StreamCursor }[];
  /** As a stream's `last`, of the bell of the queue's parked keys. */
  bell: string;
  /** A reply with parked messages may have been lost. */
  again: boolean;
  /** The lease turned out to be another's; its owner here will find out. */
  isLost: boolean;
}

/** Of one stream; empty when it was not read. */
type StreamReply = [entries: RawEntry[], notes: Buffer[], read: number, last: Buffer] | [];
type QueueReply = [queue: StreamReply, retries: StreamReply, paged: RawEntry[], onPaged: Buffer[], bell: Buffer];

/** Something pending that we have not seen; or something behind messages that joined their parked keys. */
type Left = 'unseen' | 'behind' | 'nothing';

/** The messages behind a parked key may be very many: who asked is answered after so long, be it with nothing. */
const LONGEST_JOINING_MS = 1000;

export class OrderedReceiver {
  private readonly cursors = new Map<number, QueueCursor>();
  /** Rotates: who asks for less than one message of each stream must not always ask the same ones. */
  private turn = 0;

  constructor(
    private readonly shard: GroupShard,
    private readonly reader: BlockingReader,
    private readonly caller: Caller,
    private readonly connections: Connections,
  ) {
    connections.onBreak(() => this.lookAgain());
  }

  async receive({ max, waitMs, signal, leases = [] }: ReceiveOptions): Promise<Delivery[]> {
    const owned = leases.map((lease) => this.cursor(lease));
    const ready = await this.readAll(owned, max, signal);
    if (ready.length > 0 || waitMs <= 0 || leases.length === 0 || signal?.aborted) return ready;
    const streams = owned.flatMap((queue) => queue.streams);
    const keys = [...streams.map(({ stream }) => stream.key), ...owned.map(({ lease }) => this.bellOf(lease))];
    const ids = [...streams.map(({ cursor }) => cursor.last), ...owned.map(({ bell }) => bell)];
    const block = this.reader.blockMs(waitMs);
    await this.reader.run(['XREAD', 'COUNT', 1, 'BLOCK', block, 'STREAMS', ...keys, ...ids], signal);
    return signal?.aborted ? [] : this.readAll(owned, max, signal);
  }

  /** A reply may have been lost: everything pending comes once more; the caller knows what it has already. */
  private lookAgain(): void {
    for (const queue of this.cursors.values()) {
      for (const { cursor } of queue.streams) cursor.after = '0-0';
      queue.again = true;
    }
  }

  private bellOf({ queue }: QueueLease): string {
    return this.shard.group.parkedBell(queue);
  }

  private cursor(lease: QueueLease): QueueCursor {
    const known = this.cursors.get(lease.queue);
    if (known?.lease.epoch === lease.epoch) return Object.assign(known, { lease });
    const streams = this.shard.streams
      .filter(({ queue }) => queue === lease.queue)
      .map((stream) => ({ stream, cursor: { after: '0-0', seen: '0-0', last: '0-0' } }));
    const cursor: QueueCursor = { lease, streams, bell: '0-0', again: false, isLost: false };
    this.cursors.set(lease.queue, cursor);
    return cursor;
  }

  private async readAll(owned: readonly QueueCursor[], max: number, signal?: AbortSignal): Promise<Delivery[]> {
    const found: Delivery[] = [];
    const joinUntil = this.caller.monotonic() + LONGEST_JOINING_MS;
    try {
      for (let left: Left = 'unseen'; left !== 'nothing' && found.length < max;) {
        left = await this.readOnce(owned, max - found.length, found);
        if (left === 'behind' && (signal?.aborted || this.caller.monotonic() > joinUntil)) break;
      }
    } catch (error) {
      this.lookAgain();
      throw error;
    }
    return found;
  }

  /** One call for all queues. Says what is left to be read before anything is waited for. */
  private async readOnce(owned: readonly QueueCursor[], max: number, found: Delivery[]): Promise<Left> {
    const kept = owned.filter(({ isLost }) => !isLost);
    if (kept.length === 0) return 'nothing';
    const first = this.turn++ % kept.length;
    const queues = [...kept.slice(first), ...kept.slice(0, first)];
    const wasAdopting = queues.some(isAdopting);
    const { group, subscription } = this.shard;
    const { breaks } = this.connections;
    const replies = (await this.caller.run(
      'read-ordered',
      [group.owners, group.started, ...queues.flatMap((queue) => this.keysOf(queue))],
      [subscription.group, max, ...queues.flatMap(argumentsOf)],
      'buffer',
    )) as (QueueReply | Buffer)[];
    // The script may have run twice, the first time for nobody: what that one brought is found among what is pending.
    if (this.connections.breaks !== breaks) return 'unseen';
    let read = 0;
    for (const [place, reply] of replies.entries()) {
      const queue = queues[place]!;
      queue.isLost = !Array.isArray(reply);
      if (Array.isArray(reply)) read += this.take(queue, reply, found);
    }
    if (wasAdopting) return 'unseen';
    return found.length === 0 && read > 0 ? 'behind' : 'nothing';
  }

  private keysOf({ streams, lease }: QueueCursor): string[] {
    return [...streams.map(({ stream }) => stream.key), ...this.shard.group.parked(lease.queue)];
  }

  /** Moves the cursors on; returns how many entries were read. */
  private take(queue: QueueCursor, [first, second, paged, onPaged, bell]: QueueReply, found: Delivery[]): number {
    const { lease } = queue;
    let sum = 0;
    for (const [place, reply] of [first, second].entries()) {
      if (reply.length === 0) continue;
      const [entries, notes, read, lastRead] = reply;
      const { stream, cursor } = queue.streams[place]!;
      const last = lastRead.toString('latin1');
      if (read > 0 && isEarlier(cursor.seen, last)) cursor.seen = last;
      if (cursor.after !== '>') cursor.after = read > 0 ? last : '>';
      else cursor.last = last;
      this.add(stream, lease, entries, notes, found);
      sum += read;
    }
    // Without a look at the parked keys there is no word of the bell.
    if (bell.length > 0) [queue.again, queue.bell] = [false, bell.toString('latin1')];
    this.add({ source: 'parked', queue: lease.queue }, lease, paged, onPaged, found);
    return sum;
  }

  private add(
    from: Pick<GroupStream, 'source' | 'queue'>,
    lease: QueueLease,
    entries: readonly RawEntry[],
    notes: readonly Buffer[],
    found: Delivery[],
  ): void {
    for (const [index, entry] of entries.entries()) {
      if (!entry[1]) continue;
      const note = readNote(notes[index]!.toString('latin1'));
      found.push(this.shard.delivery(from, entry, lease, note));
    }
  }
}

/** Something may be pending that has not come to us. */
function isAdopting({ streams }: QueueCursor): boolean {
  return streams.some(({ cursor }) => cursor.after !== '>');
}

function argumentsOf({ lease, streams, again }: QueueCursor): ScriptArgument[] {
  const ofStreams = streams.flatMap(({ stream, cursor }) => [
    fieldPrefix(stream.source, stream.queue),
    cursor.after,
    cursor.seen,
  ]);
  return [leaseText(lease), again ? 'again' : '', ...ofStreams];
}
