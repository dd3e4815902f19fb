// What the processes of a group know of each other, in shard 0 of the topic; tags in every shard, for settle.lua.
import { type GroupControl, type GroupState, MEMBER_LIVES_MS, type Subscription } from '@millrace/core';
import type { Caller } from './caller.js';
import { groupState, type StateReply } from './group-state.js';
import type { GroupKeys, ShardKeys } from './keys.js';
import type { Topics } from './topics.js';

/** A sign of life is written down this often; in between, a beat only reads. */
const REFRESH_MS = 3_000;
/** How often the registration of tags is renewed in the shards that beats do not reach; it lives for an hour. */
const REGISTER_EVERY_MS = 60_000;

export class RedisGroupControl implements GroupControl {
  /** When the tags of each consumer were last registered in all shards; monotonic ms. */
  private readonly registeredAt = new Map<string, number>();

  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
  ) {}

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
    await this.caller.run('leave-control', [this.first(subscription).keys.live], [subscription.consumer]);
  }

  private async registerElsewhere({ topic, group, consumer, tags = [] }: Subscription, now: boolean): Promise<void> {
    const last = this.registeredAt.get(consumer);
    // Subscribing has registered them a moment ago.
    if (last === undefined && !now) this.registeredAt.set(consumer, performance.now());
    if (!now && (last === undefined || performance.now() - last < REGISTER_EVERY_MS)) return;
    const others = this.topics.get(topic).shards.slice(1);
    const args = [JSON.stringify(tags)];
    await Promise.all(others.map((shard) => this.caller.run('register-tags', [shard.group(group).tags], args)));
    this.registeredAt.set(consumer, performance.now());
  }

  private first({ topic, group }: Subscription): { keys: GroupKeys; shard: ShardKeys } {
    const shard = this.topics.get(topic).shards[0]!;
    return { shard, keys: shard.group(group) };
  }
}
