// What an operator sees of parked keys, and does about them: list, resume, skip.
import {
  BrokerRefusedError,
  FIRST_DELIVERY,
  routeOf,
  type DeadLetterReason,
  type ParkedKey,
  type ResumeKeyResult,
  type SkipKeyResult,
} from '@millrace/core';
import { UnknownFate, type Caller } from './caller.js';
import { fieldPrefix } from './delivery-names.js';
import { decodeState } from './retry-field.js';
import type { GroupKeys, ShardKeys } from './keys.js';
import type { ScriptName } from './scripts.js';
import type { KnownTopic } from './topics.js';

interface Place {
  readonly keys: ShardKeys;
  readonly group: GroupKeys;
  /** Queue inside the shard. */
  readonly queue: number;
}

export class ParkedKeys {
  constructor(private readonly caller: Caller) {}

  /** Messages whose key waits for its time, messages handed out, and other parked messages. */
  async count(group: GroupKeys, queues: readonly number[]): Promise<[number, number, number]> {
    const keys = queues.flatMap((queue) => group.parked(queue));
    return (await this.caller.run('count-parked', keys, [])) as [number, number, number];
  }

  /** Pages over several queues are merged: each gives its first `offset + limit`. */
  async list(topic: KnownTopic, group: string, { offset, limit }: { offset: number; limit: number }) {
    const perShard = topic.settings.queues / topic.settings.shards;
    const places = topic.shards.flatMap((keys) =>
      Array.from({ length: perShard }, (_, queue): Place => ({ keys, group: keys.group(group), queue })),
    );
    const pages = await Promise.all(places.map((place) => this.page(place, group, perShard, offset + limit)));
    return pages
      .flat()
      .toSorted((a, b) => RANKS[a.state] - RANKS[b.state] || a.since.getTime() - b.since.getTime())
      .slice(offset, offset + limit);
  }

  async resume(topic: KnownTopic, group: string, orderingKey: string): Promise<ResumeKeyResult> {
    const place = placeOf(topic, group, orderingKey);
    const reply = await this.final('resume-key', place, [], [orderingKey, fieldPrefix('parked', place.queue)]);
    return reply === 'RESUMED' ? 'resumed' : reply === 'RUNNING' ? 'running' : 'not-parked';
  }

  async skip(topic: KnownTopic, group: string, orderingKey: string): Promise<SkipKeyResult> {
    const place = placeOf(topic, group, orderingKey);
    const { dead, deadLetters, untold } = place.group;
    const args = [orderingKey, fieldPrefix('parked', place.queue), JSON.stringify(FIRST_DELIVERY)];
    const reply = await this.final('skip-key', place, [dead, deadLetters, untold], args);
    if (reply.startsWith('SKIPPED ')) return { result: 'skipped', messageId: reply.slice('SKIPPED '.length) };
    return { result: reply === 'RUNNING' ? 'running' : 'not-parked' };
  }

  private async page({ keys, group, queue }: Place, name: string, perShard: number, limit: number) {
    const rows = (await this.caller.run('list-parked-keys', group.parked(queue), [0, limit])) as string[][];
    return rows.map(([orderingKey, state, due, since, waiting, messageId, reason, retryState, text]): ParkedKey => {
      const { attempt, failures } = decodeState(retryState || '{}');
      return {
        orderingKey: orderingKey!,
        topic: keys.topic,
        group: name,
        queue: keys.shard * perShard + queue,
        state: state as ParkedKey['state'],
        since: new Date(Number(since)),
        dueInMs: due === '' ? undefined : Number(due),
        messages: Number(waiting),
        messageId: messageId!,
        attempt,
        reason: reason === '' ? undefined : (reason as DeadLetterReason),
        text: text === '' ? undefined : text,
        lastFailure: failures.at(-1),
      };
    });
  }

  private async final(script: ScriptName, place: Place, more: string[], args: string[]): Promise<string> {
    const { keys, group, queue } = place;
    try {
      const names = [group.started, ...more, ...group.parked(queue)];
      return await this.caller.freeze(script, (slot) => keys.slot(slot), names, args);
    } catch (error) {
      if (error instanceof UnknownFate)
        throw new BrokerRefusedError('what became of the key is not known; look again', 'MQ_UNAVAILABLE', error.cause);
      throw error;
    }
  }
}

/** What needs somebody comes first. */
const RANKS = { exhausted: 0, waiting: 1, running: 2 } as const;

function placeOf(topic: KnownTopic, group: string, orderingKey: string): Place {
  const { shard, queue } = routeOf(orderingKey, topic.settings);
  const keys = topic.shards[shard]!;
  return { keys, group: keys.group(group), queue };
}
