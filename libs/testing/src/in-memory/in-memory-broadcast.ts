// BroadcastReader in memory.
import {
  ClosedError,
  KEEP_POSITIONS_MS,
  type BroadcastPage,
  type BroadcastPosition,
  type BroadcastReader,
  type BroadcastReadOptions,
  type BroadcastSpec,
  type Clock,
} from '@millrace/core';
import { look, startOf } from './broadcast-look.js';
import type { InMemoryStore } from './in-memory-store.js';
import { nextArrival } from './next-arrival.js';

/** What a named instance has left, by shard. */
export type KeptPositions = { readonly positions: readonly BroadcastPosition[]; readonly until: number }[];

export class InMemoryBroadcast implements BroadcastReader {
  constructor(
    private readonly store: InMemoryStore,
    private readonly clock: Clock,
    private readonly closed: AbortSignal,
  ) {}

  async open(spec: BroadcastSpec): Promise<readonly (readonly BroadcastPosition[])[]> {
    this.checkOpen();
    const topic = this.store.topic(spec.topic);
    const instances = topic.broadcasts.get(spec.group) ?? new Map<string, KeptPositions>();
    topic.broadcasts.set(spec.group, instances);
    const kept = spec.instance === undefined ? undefined : instances.get(spec.instance);
    return topic.shards.map(({ queues }, shard) => {
      const found = kept?.[shard];
      if (found && found.until > this.store.now()) return found.positions;
      return queues.map((queue) => startOf(queue, spec.startFrom));
    });
  }

  async read(
    { topic: name }: BroadcastSpec,
    shard: number,
    positions: readonly BroadcastPosition[],
    { max, waitMs, signal }: BroadcastReadOptions,
  ): Promise<BroadcastPage> {
    this.checkOpen();
    const { queues, arrivals } = this.store.topic(name).shards[shard]!;
    const deadline = this.clock.monotonic() + waitMs;
    for (;;) {
      // A wait that is told to end takes nothing more: nobody might be there to handle it.
      const wanted = this.closed.aborted ? 0 : Math.ceil(max / queues.length);
      const page = look(queues, positions, wanted);
      const left = deadline - this.clock.monotonic();
      const isOver = left <= 0 || signal?.aborted || this.closed.aborted;
      if (page.entries.length > 0 || page.gaps.length > 0 || isOver) return page;
      await nextArrival(arrivals, this.clock, left, signal, this.closed);
    }
  }

  async keep(spec: BroadcastSpec, shard: number, positions: readonly BroadcastPosition[]): Promise<void> {
    this.checkOpen();
    const instances = this.store.topic(spec.topic).broadcasts.get(spec.group);
    if (!instances || spec.instance === undefined) return;
    const kept = instances.get(spec.instance) ?? [];
    kept[shard] = { positions, until: this.store.now() + KEEP_POSITIONS_MS };
    instances.set(spec.instance, kept);
  }

  private checkOpen(): void {
    if (this.closed.aborted) throw new ClosedError('in-memory broker');
  }
}
