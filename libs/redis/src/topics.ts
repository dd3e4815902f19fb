// Topics and groups as they are stored: created on first use, then read from memory.
import {
  storedSettings,
  TopicError,
  type GroupSpec,
  type Subscription,
  type TopicSettings,
  type TopicSpec,
} from '@millrace/core';
import type { Caller } from './caller.js';
import { KEY_SCHEMA_VERSION, ShardKeys } from './keys.js';

/** A topic as known to this process. */
export interface KnownTopic {
  readonly settings: TopicSettings;
  readonly spec: TopicSpec;
  readonly shards: readonly ShardKeys[];
}

/** What is stored for a group. */
export interface StoredGroup {
  readonly mode: GroupSpec['mode'];
  readonly leaseMs: number;
}

export class Topics {
  private readonly known = new Map<string, KnownTopic>();

  constructor(
    private readonly caller: Caller,
    private readonly namespace: string,
  ) {}

  /** Throws TopicError when it was not declared in this process: callers declare first. */
  get(topic: string): KnownTopic {
    const known = this.known.get(topic);
    if (!known) throw new TopicError(topic, `topic ${topic} was not declared`, 'MQ_TOPIC_NOT_FOUND');
    return known;
  }

  async declare(spec: TopicSpec): Promise<TopicSettings> {
    const { autoCreate, explicit, ...wanted } = spec;
    const first = new ShardKeys(this.namespace, spec.topic, 0);
    const settings = await this.declareShard(first, wanted, autoCreate);
    for (const setting of explicit) {
      if (settings[setting] !== wanted[setting])
        throw new TopicError(
          spec.topic,
          `topic ${spec.topic} is stored with ${setting} ${settings[setting]}, code says ${wanted[setting]}`,
        );
    }
    // Shard 0 decides; the others repeat what it holds, so that each of them can be checked by its own scripts.
    const shards = Array.from(
      { length: settings.shards },
      (_, shard) => new ShardKeys(this.namespace, spec.topic, shard),
    );
    await Promise.all(shards.slice(1).map((shard) => this.declareShard(shard, settings, true)));
    this.known.set(spec.topic, { settings, spec, shards });
    return settings;
  }

  /** After a script found no topic (the data was flushed): writes it anew. */
  async redeclare(topic: string): Promise<void> {
    await this.declare(this.get(topic).spec);
  }

  /** Stored settings of a topic that need not be known here; undefined when there is none. */
  async peek(topic: string): Promise<TopicSettings | undefined> {
    const reply = await this.caller.run(
      'declare-topic',
      [new ShardKeys(this.namespace, topic, 0).meta],
      ['', '', 'no'],
    );
    return reply === 'NO_TOPIC' ? undefined : settingsOf((reply as string[])[0]!);
  }

  /** The topic as this process knows it, else as it is stored. Throws TopicError when there is none. */
  async look(spec: TopicSpec): Promise<KnownTopic> {
    if (!this.known.has(spec.topic)) await this.declare(spec);
    return this.get(spec.topic);
  }

  async declareGroup(group: GroupSpec): Promise<Subscription> {
    const { settings, shards } = this.get(group.topic);
    const queuesPerShard = settings.queues / settings.shards;
    const text = JSON.stringify({ mode: group.mode, leaseMs: group.leaseMs } satisfies StoredGroup);
    const queues = Array.from({ length: queuesPerShard }, (_, queue) => queue);
    let stored: StoredGroup = group;
    for (const shard of shards) {
      const keys = shard.group(group.group);
      const retries = retryQueues(group.mode, queuesPerShard).map((queue) => keys.retries(queue));
      const streams = [...queues.map((queue) => shard.queue(queue)), ...retries];
      const names = [shard.meta, keys.tags, ...streams];
      const args = [group.group, text, startId(group.startFrom), queuesPerShard, JSON.stringify(group.tags ?? [])];
      let reply = await this.caller.run('declare-group', names, args);
      if (reply === 'NO_TOPIC') {
        await this.redeclare(group.topic);
        reply = await this.caller.run('declare-group', names, args);
      }
      stored = JSON.parse(reply as string) as StoredGroup;
      if (stored.mode !== group.mode)
        throw new TopicError(group.topic, `group ${group.group} is stored as ${stored.mode}, code says ${group.mode}`);
    }
    return { ...group, leaseMs: stored.leaseMs, shards: settings.shards, queuesPerShard, ttlMs: settings.ttlMs };
  }

  private async declareShard(keys: ShardKeys, settings: TopicSettings, create: boolean): Promise<TopicSettings> {
    const args = [JSON.stringify(settings), KEY_SCHEMA_VERSION, create ? 'create' : 'no'];
    const reply = await this.caller.run('declare-topic', [keys.meta], args);
    if (reply === 'NO_TOPIC')
      throw new TopicError(keys.topic, `topic ${keys.topic} does not exist`, 'MQ_TOPIC_NOT_FOUND');
    const [stored, schema] = reply as [string, string];
    if (Number(schema) > KEY_SCHEMA_VERSION)
      throw new TopicError(
        keys.topic,
        `topic ${keys.topic} has key schema ${schema}, newer than ours`,
        'MQ_SCHEMA_VERSION',
      );
    return settingsOf(stored);
  }
}

function settingsOf(stored: string): TopicSettings {
  return storedSettings(JSON.parse(stored) as TopicSettings);
}

/** An ordered group has a retry stream per queue, owned together with it; a concurrent one needs a single one. */
export function retryQueues(mode: GroupSpec['mode'], queuesPerShard: number): number[] {
  return mode === 'ordered' ? Array.from({ length: queuesPerShard }, (_, queue) => queue) : [0];
}

/** Entries after this id are delivered. An instant starts with its own first entry. */
function startId(start: GroupSpec['startFrom']): string {
  if (start === 'first') return '0';
  if (start === 'last') return '$';
  return `${start.getTime() - 1}-18446744073709551615`;
}
