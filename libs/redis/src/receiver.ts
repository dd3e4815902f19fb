// Concurrent mode: one consumer per process and shard, one blocking read for all its streams.
import type { Delivery, ReceiveOptions } from '@millrace/core';
import type { BlockingReader } from './blocking-reader.js';
import type { Connections } from './connections.js';
import type { RawEntry } from './entry-codec.js';
import { fieldOf, type NotedDelivery } from './delivery-names.js';
import { readNote } from './entry-note.js';
import { withCrashes, type GroupShard } from './streams.js';

type StreamReply = [key: Buffer, entries: RawEntry[]];

/** Small reads cost a round trip each; a group with few free places still takes a few entries ahead of time. */
const SMALLEST_SHARE = 4;
const ADOPT_PAGE = 500;

export class Receiver {
  /** Set when a reply may have been lost: entries leased to us that we never saw come first then. */
  private adopting = false;

  constructor(
    private readonly shard: GroupShard,
    private readonly reader: BlockingReader,
    private readonly connections: Connections,
  ) {
    connections.onBreak(() => this.lookAgain());
  }

  /** The next read begins with everything that is pending for us. */
  lookAgain(): void {
    this.adopting = true;
  }

  async receive({ max, waitMs, signal }: ReceiveOptions): Promise<Delivery[]> {
    if (this.adopting) {
      const adopted = await this.adopt();
      if (adopted.length > 0) return adopted;
    }
    const { streams } = this.shard;
    // COUNT is per stream: shares keep a read near `max` whatever the number of streams.
    const share = Math.min(max, Math.max(Math.ceil(max / streams.length), SMALLEST_SHARE));
    const block = waitMs > 0 ? ['BLOCK', this.reader.blockMs(waitMs)] : [];
    const keys = streams.map(({ key }) => key);
    try {
      const found = await this.read(
        ['COUNT', share, ...block],
        keys,
        keys.map(() => '>'),
        signal,
      );
      // The connection broke, and nothing came: what a lost reply leased to us must not wait for the next call.
      return found.length === 0 && this.adopting && !signal?.aborted ? await this.adopt() : found;
    } catch (error) {
      // The read may have been executed: whatever it leased to us is looked for first.
      this.adopting = true;
      throw error;
    }
  }

  /** Everything pending under our name: those whose reply was lost, and those that the caller knows it has. */
  private async adopt(): Promise<Delivery[]> {
    this.adopting = false;
    try {
      const found: Delivery[] = [];
      for (const { key } of this.shard.streams) {
        for (let after = '0'; ;) {
          const page = await this.readRaw(['COUNT', ADOPT_PAGE], [key], [after]);
          const entries = page?.[0]?.[1] ?? [];
          found.push(...this.deliveries(page));
          if (entries.length < ADOPT_PAGE) break;
          after = entries.at(-1)![0].toString('latin1');
        }
      }
      return await this.withNotes(found);
    } catch (error) {
      this.adopting = true;
      throw error;
    }
  }

  /** An adopted entry may come from a reclaim whose reply was lost: its former owner's crash still counts. */
  private async withNotes(deliveries: Delivery[]): Promise<NotedDelivery[]> {
    if (deliveries.length === 0) return deliveries;
    const notes = await this.connections.command().hmget(this.shard.group.started, ...deliveries.map(fieldOf));
    return deliveries.map((delivery, index) => {
      const note = notes[index];
      if (!note) return delivery;
      const { noted, fence } = readNote(note);
      return { ...delivery, noted, fence, state: withCrashes(delivery.state, noted) };
    });
  }

  private async read(
    options: (string | number)[],
    keys: string[],
    ids: string[],
    signal?: AbortSignal,
  ): Promise<Delivery[]> {
    return this.deliveries(await this.readRaw(options, keys, ids, signal));
  }

  private lease = { until: 0 };

  private async readRaw(
    options: (string | number)[],
    keys: string[],
    ids: string[],
    signal?: AbortSignal,
  ): Promise<StreamReply[] | null> {
    const { group, consumer, leaseMs } = this.shard.subscription;
    const command = ['XREADGROUP', 'GROUP', group, consumer, ...options, 'STREAMS', ...keys, ...ids];
    const reply = (await this.reader.run(command, signal)) as StreamReply[] | null;
    // The entries were leased just before the reply was sent, not when the wait began.
    this.lease = { until: this.connections.monotonic() + leaseMs };
    return reply;
  }

  private deliveries(reply: StreamReply[] | null): Delivery[] {
    const deliveries: Delivery[] = [];
    for (const [key, entries] of reply ?? []) {
      const stream = this.shard.stream(key.toString());
      for (const entry of entries) {
        // A pending entry whose message is gone (deleted by hand) cannot be delivered; reclaim clears its row.
        if (!entry[1]) continue;
        deliveries.push(this.shard.delivery(stream, entry, this.lease));
      }
    }
    return deliveries;
  }
}
