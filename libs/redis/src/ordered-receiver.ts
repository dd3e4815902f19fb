// Ordered mode: queues are read by a script that checks the lease in the same step; a blocking read without group only
// wakes. A frozen owner's blocked group read would swallow entries after its successor had looked for them.
import type { Delivery, QueueLease, ReceiveOptions } from '@millrace/core';
import type { BlockingReader } from './blocking-reader.js';
import type { Caller } from './caller.js';
import type { Connections } from './connections.js';
import type { RawEntry } from './entry-codec.js';
import { fieldPrefix, isEarlier, leaseText } from './delivery-names.js';
import { readNote } from './entry-note.js';
import type { GroupShard, GroupStream } from './streams.js';

/** Where the reading of one stream stands under one epoch. */
interface Cursor {
  readonly epoch: number;
  /** Id after which to look among entries that are pending, or `>` once there are none that we have not seen. */
  after: string;
  /** Latest id that came to us: what lies behind it joins its key when that is parked. */
  seen: string;
  /** Latest id of the stream when it was read: the waker waits for anything behind it. */
  last: string;
  /** The same of the bell of the queue's parked keys; with the retry stream's cursor. */
  bell: string;
  /** A reply with parked messages may have been lost. */
  again: boolean;
  /** The lease turned out to be another's; its owner here will find out. */
  isLost: boolean;
}

type OrderedReply = [
  entries: RawEntry[],
  notes: Buffer[],
  read: number,
  last: Buffer,
  paged: RawEntry[],
  onPaged: Buffer[],
  bell: Buffer,
];

export class OrderedReceiver {
  private readonly cursors = new Map<string, Cursor>();
  /** Rotates, so that a busy queue cannot keep the others waiting. */
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
    const ready = await this.readAll(leases, max);
    if (ready.length > 0 || waitMs <= 0 || leases.length === 0 || signal?.aborted) return ready;
    const owned = leases.flatMap((lease) => this.owned(lease));
    // The connection broke meanwhile: what is pending is looked for before anything is waited for.
    if (owned.some(({ cursor }) => cursor.after !== '>' && !cursor.isLost)) return [];
    const bells = owned.filter(({ stream }) => stream.source === 'retry');
    const keys = [...owned.map(({ stream }) => stream.key), ...bells.map(({ stream }) => this.bellOf(stream))];
    const ids = [...owned.map(({ cursor }) => cursor.last), ...bells.map(({ cursor }) => cursor.bell)];
    const block = this.reader.blockMs(waitMs);
    await this.reader.run(['XREAD', 'COUNT', 1, 'BLOCK', block, 'STREAMS', ...keys, ...ids], signal);
    return signal?.aborted ? [] : this.readAll(leases, max);
  }

  /** A reply may have been lost: everything pending comes once more; the caller knows what it has already. */
  private lookAgain(): void {
    for (const cursor of this.cursors.values()) {
      cursor.after = '0-0';
      cursor.again = true;
    }
  }

  private bellOf({ queue }: GroupStream): string {
    return this.shard.group.parkedBell(queue);
  }

  /** The topic's queue first, then the group's retries of it. */
  private owned(lease: QueueLease): { stream: GroupStream; cursor: Cursor }[] {
    const streams = this.shard.streams.filter(({ queue }) => queue === lease.queue);
    return streams.map((stream) => ({ stream, cursor: this.cursor(stream, lease) }));
  }

  private cursor(stream: GroupStream, { epoch }: QueueLease): Cursor {
    const known = this.cursors.get(stream.key);
    if (known?.epoch === epoch) return known;
    const cursor: Cursor = { epoch, after: '0-0', seen: '0-0', last: '0-0', bell: '0-0', again: false, isLost: false };
    this.cursors.set(stream.key, cursor);
    return cursor;
  }

  private async readAll(leases: readonly QueueLease[], max: number): Promise<Delivery[]> {
    const found: Delivery[] = [];
    this.turn++;
    try {
      for (let step = 0; step < leases.length && found.length < max; step++)
        await this.readQueue(leases[(this.turn + step) % leases.length]!, max, found);
    } catch (error) {
      this.lookAgain();
      throw error;
    }
    return found;
  }

  /** What was left pending comes before anything new of the same queue, and both before what is parked. */
  private async readQueue(lease: QueueLease, max: number, found: Delivery[]): Promise<void> {
    for (const { stream, cursor } of this.owned(lease)) {
      for (let isHistory = true; isHistory && found.length < max && !cursor.isLost;) {
        isHistory = cursor.after !== '>';
        found.push(...(await this.readOne(stream, lease, cursor, max - found.length)));
        isHistory ||= cursor.after !== '>';
      }
      if (cursor.after !== '>') return;
    }
  }

  private async readOne(stream: GroupStream, lease: QueueLease, cursor: Cursor, max: number): Promise<Delivery[]> {
    const { group, subscription } = this.shard;
    const { after } = cursor;
    const mayTake = stream.source === 'retry' && after === '>';
    const prefix = fieldPrefix(stream.source, stream.queue);
    const again = cursor.again && mayTake ? 'again' : '';
    const { breaks } = this.connections;
    const reply = (await this.caller.run(
      'read-ordered',
      [group.owners, group.started, stream.key, ...group.parked(stream.queue)],
      [subscription.group, leaseText(lease), max, after, prefix, cursor.seen, mayTake ? max : 0, again],
      'buffer',
    )) as OrderedReply | Buffer;
    cursor.isLost = !Array.isArray(reply);
    if (!Array.isArray(reply)) return [];
    // The script may have run twice, the first time for nobody: what that one brought is found among what is pending.
    if (this.connections.breaks !== breaks) return [];
    const [entries, notes, read, lastRead, paged, onPaged, bell] = reply;
    const last = lastRead.toString('latin1');
    if (read > 0 && isEarlier(cursor.seen, last)) cursor.seen = last;
    if (after !== '>') cursor.after = read > 0 ? last : '>';
    else cursor.last = last;
    if (mayTake) {
      cursor.again = false;
      cursor.bell = bell.toString('latin1');
    }
    return [
      ...this.deliveries(stream, lease, entries, notes),
      ...this.deliveries({ source: 'parked', queue: stream.queue }, lease, paged, onPaged),
    ];
  }

  private deliveries(
    from: Pick<GroupStream, 'source' | 'queue'>,
    lease: QueueLease,
    entries: readonly RawEntry[],
    notes: readonly Buffer[],
  ): Delivery[] {
    return entries.flatMap((entry, index) => {
      if (!entry[1]) return [];
      const note = readNote(notes[index]!.toString('latin1'));
      return [{ ...this.shard.delivery(from, entry, 0, note), epoch: lease.epoch, leaseUntil: lease.until }];
    });
  }
}
