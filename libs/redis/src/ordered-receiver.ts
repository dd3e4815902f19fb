// Ordered mode: queues are read by a script that checks the lease in the same step; a blocking read without group only
// wakes. A frozen owner's blocked group read would swallow entries after its successor had looked for them.
import type { Delivery, QueueLease, ReceiveOptions } from '@millrace/core';
import type { BlockingReader } from './blocking-reader.js';
import type { Caller } from './caller.js';
import type { Connections } from './connections.js';
import type { RawEntry } from './entry-codec.js';
import { decodeState } from './retry-field.js';
import { fieldPrefix, leaseText, type NotedDelivery } from './delivery-names.js';
import { readNote } from './entry-note.js';
import { withCrashes, type GroupShard, type GroupStream } from './streams.js';

/** Where the reading of one stream stands under one epoch. */
interface Cursor {
  readonly epoch: number;
  /** Id after which to look among entries that a former owner left, or `>` once there are none. */
  after: string;
  /** Latest id of the stream when it was found empty: the waker waits for anything behind it. */
  last: string;
}

type OrderedReply = [entries: RawEntry[], notes: Buffer[], waits: Buffer[], last: Buffer];

export class OrderedReceiver {
  private readonly cursors = new Map<string, Cursor>();
  /** Rotates, so that a busy queue cannot keep the others waiting. */
  private turn = 0;

  constructor(
    private readonly shard: GroupShard,
    private readonly reader: BlockingReader,
    private readonly caller: Caller,
    connections: Connections,
  ) {
    // A reply may have been lost: look again at everything pending; the caller knows what it has already.
    connections.onBreak(() => {
      for (const cursor of this.cursors.values()) cursor.after = '0-0';
    });
  }

  async receive({ max, waitMs, signal, leases = [] }: ReceiveOptions): Promise<Delivery[]> {
    const ready = await this.readAll(leases, max);
    if (ready.length > 0 || waitMs <= 0 || leases.length === 0 || signal?.aborted) return ready;
    const owned = this.owned(leases);
    const keys = owned.map(({ stream }) => stream.key);
    const ids = owned.map(({ cursor }) => cursor.last);
    const block = this.reader.blockMs(waitMs);
    await this.reader.run(['XREAD', 'COUNT', 1, 'BLOCK', block, 'STREAMS', ...keys, ...ids], signal);
    return signal?.aborted ? [] : this.readAll(leases, max);
  }

  private owned(leases: readonly QueueLease[]): { stream: GroupStream; lease: QueueLease; cursor: Cursor }[] {
    return leases.flatMap((lease) =>
      this.shard.streams
        .filter(({ queue }) => queue === lease.queue)
        .map((stream) => ({ stream, lease, cursor: this.cursor(stream, lease) })),
    );
  }

  private cursor(stream: GroupStream, { epoch }: QueueLease): Cursor {
    const known = this.cursors.get(stream.key);
    if (known?.epoch === epoch) return known;
    const cursor: Cursor = { epoch, after: '0-0', last: '0-0' };
    this.cursors.set(stream.key, cursor);
    return cursor;
  }

  private async readAll(leases: readonly QueueLease[], max: number): Promise<Delivery[]> {
    const found: Delivery[] = [];
    const owned = this.owned(leases);
    this.turn++;
    for (let step = 0; step < owned.length && found.length < max; step++) {
      const { stream, lease, cursor } = owned[(this.turn + step) % owned.length]!;
      // What a former owner left comes before anything new of the same queue.
      for (;;) {
        const history = cursor.after !== '>';
        found.push(...(await this.readOne(stream, lease, cursor, max - found.length)));
        if (!history || cursor.after !== '>' || found.length >= max) break;
      }
    }
    return found;
  }

  private async readOne(stream: GroupStream, lease: QueueLease, cursor: Cursor, max: number): Promise<Delivery[]> {
    const { group, subscription } = this.shard;
    const prefix = fieldPrefix(stream.source, stream.queue);
    const leaseStart = performance.now();
    const reply = (await this.caller.run(
      'read-ordered',
      [group.owners, group.started, group.held, stream.key],
      [subscription.group, leaseText(lease), max, cursor.after, prefix],
      'buffer',
    )) as OrderedReply | Buffer;
    if (!Array.isArray(reply)) return [];
    const [entries, notes, waits, last] = reply;
    if (cursor.after !== '>') cursor.after = entries.length > 0 ? entries.at(-1)![0].toString('latin1') : '>';
    else if (entries.length > 0) cursor.last = entries.at(-1)![0].toString('latin1');
    else cursor.last = last.toString('latin1');
    return entries.flatMap((entry, index) => {
      if (!entry[1]) return [];
      const note = readNote(notes[index]!.toString('latin1'));
      const delivery = withWait(this.shard.delivery(stream, entry, leaseStart, note), waits[index]!);
      const ordered: NotedDelivery = {
        ...delivery,
        epoch: lease.epoch,
        leaseUntil: lease.until,
      };
      return [ordered];
    });
  }
}

/** Puts back the state of an in-place retry that a former owner left: `<ms left> <state>`. */
function withWait(delivery: NotedDelivery, wait: Buffer): NotedDelivery {
  if (wait.length === 0) return delivery;
  const text = wait.toString();
  const space = text.indexOf(' ');
  const state = withCrashes(decodeState(text.slice(space + 1)), delivery.noted);
  return { ...delivery, notBeforeMs: Number(text.slice(0, space)), state };
}
