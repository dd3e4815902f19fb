// What the processes of a group know of each other, in shard 0 of the topic; tags in every shard, for settle.lua.
import {
  MEMBER_LIVES_MS,
  type BookedStarts,
  type CheckedRate,
  type GroupControl,
  type GroupState,
  type HeldSlots,
  type IdleAnswer,
  type Subscription,
} from '@millrace/core';
import type { Caller } from './caller.js';
import { groupState, type StateReply } from './group-state.js';
import type { DeclaredGroups } from './declared-groups.js';
import { IdleGroups } from './idle-groups.js';
import type { GroupKeys, ShardKeys } from './keys.js';
import type { Topics } from './topics.js';

/** A sign of life is written down this often; in between, a beat only reads. */
const REFRESH_MS = 3_000;
/** How often the registration of tags is renewed in the shards that beats do not reach; it lives for an hour. */
const REGISTER_EVERY_MS = 60_000;

export class RedisGroupControl implements GroupControl {
  /** When the tags of each consumer were last registered in all shards; monotonic ms. */
  private readonly registeredAt = new Map<string, number>();
  private readonly idleGroups: IdleGroups;

  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
    groups: DeclaredGroups,
  ) {
    this.idleGroups = new IdleGroups(caller, topics, groups);
  }

  async beat(subscription: Subscription): Promise<GroupState> {
    const { group, consumer, tags = [] } = subscription;
    const { keys, shard } = this.first(subscription);
    const args = [group, consumer, JSON.stringify(tags), REFRESH_MS, MEMBER_LIVES_MS];
    const beat = (): Promise<unknown> => this.caller.run('beat', [shard.meta, keys.live, keys.tags], args);
    let reply = await beat();
    if (reply === 'NO_GROUP') {
      // The data was flushed or the group was destroyed. What is there now is all that is left: it starts with that.
      await this.topics.redeclare(subscription.topic);
      await this.topics.declareGroup({ ...subscription, startFrom: 'first' });
      reply = await beat();
    }
    const [known, state] = reply as [string, StateReply];
    await this.registerElsewhere(subscription, known === 'NEW');
    return groupState(state);
  }

  async leave(subscription: Subscription): Promise<void> {
    this.registeredAt.delete(subscription.consumer);
    const { live, slots } = this.first(subscription).keys;
    await this.caller.run('leave-control', [live, slots], [subscription.consumer]);
  }

  async bookStarts(subscription: Subscription, code: CheckedRate | undefined, wanted: number): Promise<BookedStarts> {
    const { keys, shard } = this.first(subscription);
    const args = [subscription.group, code?.max ?? '', code?.perMs ?? '', wanted];
    const reply = (await this.caller.run('book-starts', [shard.meta, keys.nextStart], args)) as string[];
    const [count, firstInMs, everyMs, againInMs] = reply.map(Number) as [number, number, number, number];
    return { count, firstInMs, everyMs, againInMs };
  }

  async holdSlots(
    { topic, group, consumer, leaseMs }: Subscription,
    code: number | undefined,
    { running, wanted }: { running: number; wanted: number },
  ): Promise<HeldSlots> {
    const { keys, shard } = this.first({ topic, group });
    const args = [group, consumer, code ?? '', running, wanted, leaseMs];
    const reply = (await this.caller.run('hold-slots', [shard.meta, keys.slots], args)) as [number, number];
    return { held: reply[0], share: reply[1] };
  }

  checkIdle(topic: string, rule: { idleAfterMs: number; expireAfterMs?: number }): Promise<IdleAnswer> {
    return this.idleGroups.check(topic, rule.idleAfterMs, rule.expireAfterMs);
  }

  private async registerElsewhere({ topic, group, consumer, tags = [] }: Subscription, now: boolean): Promise<void> {
    const last = this.registeredAt.get(consumer);
    // Subscribing has registered them a moment ago.
    if (last === undefined && !now) this.registeredAt.set(consumer, this.caller.monotonic());
    if (!now && (last === undefined || this.caller.monotonic() - last < REGISTER_EVERY_MS)) return;
    const others = this.topics.get(topic).shards.slice(1);
    const args = [JSON.stringify(tags)];
    await Promise.all(others.map((shard) => this.caller.run('register-tags', [shard.group(group).tags], args)));
    this.registeredAt.set(consumer, this.caller.monotonic());
  }

  private first({ topic, group }: Pick<Subscription, 'topic' | 'group'>): { keys: GroupKeys; shard: ShardKeys } {
    const shard = this.topics.get(topic).shards[0]!;
    return { shard, keys: shard.group(group) };
  }
}
