// What operators order for a topic or a group: pauses and limits, kept in shard 0 until they are taken back.
import {
  checkLimits,
  checkPause,
  TopicError,
  type GroupLimits,
  type GroupState,
  type PauseOptions,
} from '@millrace/core';
import type { Caller } from './caller.js';
import { groupState, type StateReply, type StoredPause } from './group-state.js';
import type { KnownTopic } from './topics.js';

export class OperatorOrders {
  constructor(private readonly caller: Caller) {}

  async pause(topic: KnownTopic, options: PauseOptions): Promise<void> {
    const { group, by, why, until } = checkPause(options);
    // `since` is filled in by the server.
    const pause: StoredPause = { by, why, since: 0, ...(until === undefined ? {} : { until: until.getTime() }) };
    await this.order(topic, pauseField(group), group, JSON.stringify(pause));
  }

  async resume(topic: KnownTopic, group: string | undefined): Promise<boolean> {
    return (await this.order(topic, pauseField(group), group, '')) === 'REMOVED';
  }

  async setLimits(topic: KnownTopic, group: string, limits: GroupLimits): Promise<void> {
    const stored = checkLimits(limits);
    await this.order(topic, `limits:${group}`, group, Object.keys(stored).length > 0 ? JSON.stringify(stored) : '');
  }

  async state(topic: KnownTopic, group: string): Promise<GroupState | undefined> {
    const shard = topic.shards[0]!;
    const { live, tags } = shard.group(group);
    const reply = await this.caller.run('read-group', [shard.meta, live, tags], [group]);
    return reply === 'NO_GROUP' ? undefined : groupState(reply as StateReply);
  }

  private async order({ settings, shards }: KnownTopic, field: string, group = '', order: string): Promise<unknown> {
    const reply = await this.caller.run('set-order', [shards[0]!.meta], [field, group, order]);
    if (reply === 'NO_TOPIC' || reply === 'NO_GROUP') {
      const what = reply === 'NO_GROUP' ? `group ${group} of topic ${settings.topic}` : `topic ${settings.topic}`;
      throw new TopicError(settings.topic, `${what} does not exist`, 'MQ_TOPIC_NOT_FOUND');
    }
    return reply;
  }
}

const pauseField = (group: string | undefined): string => (group === undefined ? 'pause' : `pause:${group}`);
