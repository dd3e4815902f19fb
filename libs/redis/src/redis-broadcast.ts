// BroadcastReader on Redis: a script reads, a blocking XREAD only says when to look again. The read must tell whether
// entries were trimmed unseen, and only one step can say that of what it returns.
import {
  ClosedError,
  KEEP_POSITIONS_MS,
  type BroadcastPage,
  type BroadcastPosition,
  type BroadcastReader,
  type BroadcastReadOptions,
  type BroadcastSpec,
} from '@millrace/core';
import { BlockingReader } from './blocking-reader.js';
import { readQueue } from './broadcast-page.js';
import type { Caller } from './caller.js';
import type { Connections } from './connections.js';
import type { ShardKeys } from './keys.js';
import { lookOf, type LookReply } from './stream-look.js';
import type { Topics } from './topics.js';

export class RedisBroadcast implements BroadcastReader {
  /** One for each group and shard that waits. */
  private readonly readers = new Map<string, BlockingReader>();

  constructor(
    private readonly connections: Connections,
    private readonly caller: Caller,
    private readonly topics: Topics,
  ) {}

  async open(spec: BroadcastSpec): Promise<readonly (readonly BroadcastPosition[])[]> {
    const shards = this.topics.get(spec.topic).shards;
    return Promise.all(shards.map((_, shard) => this.openShard(spec, shard)));
  }

  async read(
    spec: BroadcastSpec,
    shard: number,
    positions: readonly BroadcastPosition[],
    { max, waitMs, signal }: BroadcastReadOptions,
  ): Promise<BroadcastPage> {
    if (this.connections.closed) throw new ClosedError('the broker');
    const page = await this.look(spec, shard, positions, max);
    if (page.entries.length > 0 || page.gaps.length > 0 || waitMs <= 0 || signal?.aborted) return page;
    const { keys, queues } = this.shard(spec.topic, shard);
    const after = page.positions.map((position) => position.after);
    const reader = this.reader(keys, spec.group);
    const woken = await reader.run(
      ['XREAD', 'COUNT', 1, 'BLOCK', reader.blockMs(waitMs), 'STREAMS', ...queues, ...after],
      signal,
    );
    return woken === null ? page : this.look(spec, shard, page.positions, max);
  }

  async keep(spec: BroadcastSpec, shard: number, positions: readonly BroadcastPosition[]): Promise<void> {
    const { keys } = this.shard(spec.topic, shard);
    const { group, instance } = spec;
    if (instance === undefined) return;
    await this.caller.run(
      'keep-broadcast',
      [keys.broadcast(group, instance)],
      [JSON.stringify(positions), KEEP_POSITIONS_MS],
    );
  }

  /** Ends waits. The connection itself is closed by the broker. */
  async close(): Promise<void> {
    await Promise.all([...this.readers.values()].map((reader) => reader.close()));
  }

  private async openShard(spec: BroadcastSpec, shard: number): Promise<readonly BroadcastPosition[]> {
    const { keys, queues } = this.shard(spec.topic, shard);
    const { group, startFrom, instance } = spec;
    // Without a name there is nothing kept: no instance can be called ''.
    const names = [keys.meta, keys.broadcast(group, instance ?? ''), ...queues];
    const args = [group, startFrom instanceof Date ? startFrom.getTime() : startFrom];
    let reply = await this.caller.run('open-broadcast', names, args);
    if (reply === 'NO_TOPIC') {
      await this.topics.redeclare(spec.topic);
      reply = await this.caller.run('open-broadcast', names, args);
    }
    if (typeof reply === 'string') return JSON.parse(reply) as BroadcastPosition[];
    return (reply as [string, string][]).map(([after, seen]) => ({
      after,
      seen: seen === '' ? undefined : Number(seen),
    }));
  }

  private async look(
    spec: BroadcastSpec,
    shard: number,
    from: readonly BroadcastPosition[],
    max: number,
  ): Promise<BroadcastPage> {
    const { keys, queues } = this.shard(spec.topic, shard);
    const share = Math.max(1, Math.ceil(max / queues.length));
    const args = [spec.group, share, ...from.map(({ after }) => after)];
    const reply = await this.caller.run('read-broadcast', [keys.meta, ...queues], args, 'buffer');
    if (!Array.isArray(reply)) {
      // Flushed: declared anew, so that the topic can be trimmed. The places stay: new ids are greater.
      await this.openShard({ ...spec, instance: undefined }, shard);
      return { entries: [], positions: from, gaps: [] };
    }
    const pages = (reply as LookReply[]).map((row, queue) => readQueue(queue, from[queue]!, lookOf(row)));
    return {
      entries: pages.flatMap(({ entries }) => entries),
      positions: pages.map(({ position }) => position),
      gaps: pages.flatMap(({ gap }) => gap ?? []),
    };
  }

  private shard(topic: string, shard: number): { keys: ShardKeys; queues: string[] } {
    const { settings, shards } = this.topics.get(topic);
    const keys = shards[shard]!;
    const queues = Array.from({ length: settings.queues / settings.shards }, (_, queue) => keys.queue(queue));
    return { keys, queues };
  }

  private reader(keys: ShardKeys, group: string): BlockingReader {
    const name = `${keys.meta} ${group}`;
    let reader = this.readers.get(name);
    if (!reader) this.readers.set(name, (reader = new BlockingReader(this.connections, keys.meta)));
    return reader;
  }
}
