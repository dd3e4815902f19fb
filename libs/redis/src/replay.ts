// Replay of a group: back by making finished entries pending again, forward by passing over what is not finished.
import {
  BrokerRefusedError,
  replayGap,
  TopicError,
  type Delivery,
  type ReplayOptions,
  type ReplayReport,
} from '@millrace/core';
import { UnknownFate, type Caller } from './caller.js';
import { fieldPrefix, ORDERED_CONSUMER, REPLAY_CONSUMER } from './delivery-names.js';
import type { ShardKeys } from './keys.js';
import type { ScriptArgument } from './scripts.js';
import { StreamPosition } from './stream-position.js';
import { retryQueues, type KnownTopic, type StoredGroup } from './topics.js';

const PAGE = 500;

type Count = { -readonly [K in 'putBack' | 'interrupted' | 'skipped']: number };

export interface ReplayedGroup {
  readonly topic: KnownTopic;
  readonly group: string;
  readonly stored: StoredGroup;
}

interface Place {
  readonly keys: ShardKeys;
  readonly stream: string;
  readonly source: Delivery['source'];
  readonly queue: number;
  readonly position: StreamPosition;
}

export class Replay {
  private readonly count: Count = { putBack: 0, interrupted: 0, skipped: 0 };

  constructor(
    private readonly caller: Caller,
    private readonly of: ReplayedGroup,
    private readonly options: Required<ReplayOptions>,
  ) {}

  async run(): Promise<ReplayReport> {
    const { topic } = this.of;
    const places = (await Promise.all(topic.shards.map((keys) => this.places(keys)))).flat();
    const queues = places.filter(({ source }) => source === 'queue');
    const ends = queues.map(({ position }) => position.oldEnd);
    // Before anything is moved: a refusal changes nothing.
    const gap = replayGap(topic.settings.topic, this.options, ends);
    if (!this.options.dryRun && this.options.to !== 'last') await this.note();
    for (const place of this.options.to === 'last' ? places : queues) await this.move(place);
    if (this.options.to === 'last') await this.passRetries(queues);
    return gap ? { ...this.count, gap } : this.count;
  }

  /** For idempotent listeners, before anything comes again: what was done before does not count any more. */
  private async note(): Promise<void> {
    const { topic, group } = this.of;
    await Promise.all(topic.shards.map(({ meta }) => this.caller.run('note-replay', [meta], [group])));
  }

  private async places(keys: ShardKeys): Promise<Place[]> {
    const { topic, group, stored } = this.of;
    const perShard = topic.settings.queues / topic.settings.shards;
    const queues = Array.from({ length: perShard }, (_, queue) => queue);
    const all = [
      ...queues.map((queue) => ({ keys, queue, source: 'queue' as const, stream: keys.queue(queue) })),
      ...retryQueues(stored.mode, perShard).map((queue) => {
        return { keys, queue, source: 'retry' as const, stream: keys.group(group).retries(queue) };
      }),
    ];
    return Promise.all(
      all.map(async (place) => {
        const position = await StreamPosition.read(this.caller, place.stream, group);
        if (position) return { ...place, position };
        const name = topic.settings.topic;
        throw new TopicError(name, `group ${group} has no position on ${name}`, 'MQ_GROUP_NOT_FOUND');
      }),
    );
  }

  private async move(place: Place): Promise<void> {
    const { position } = place;
    const to = this.options.to instanceof Date ? `${this.options.to.getTime()}-0` : '0-0';
    const isBack = this.options.to === 'first' || (this.options.to !== 'last' && position.hasRead(to));
    if (isBack) return this.putBack(place, to);
    const last = this.options.to === 'last' ? position.newest : position.before(to);
    await this.passOver('leased', place.keys, place, last);
    await this.passOver('unread', place.keys, place, last);
  }

  /** Up to what was read when the replay began: what is read meanwhile was not asked for. */
  private async putBack({ keys, stream, queue, source, position }: Place, from: string): Promise<void> {
    const { group, stored } = this.of;
    const isOrdered = stored.mode === 'ordered';
    const groupKeys = keys.group(group);
    const { started, owners, waitingPayloads } = groupKeys;
    const names = [keys.meta, stream, started, owners, waitingPayloads, groupKeys.parkedMessages(queue)];
    for (let first = from; ;) {
      const [back, interrupted, seen] = await this.page('put-back', keys, names, [
        group,
        isOrdered ? ORDERED_CONSUMER : REPLAY_CONSUMER,
        first,
        position.read,
        PAGE,
        fieldPrefix(source, queue),
        isOrdered ? queue : '',
        this.options.dryRun ? 'dry' : '',
      ]);
      this.count.putBack += Number(back);
      this.count.interrupted += Number(interrupted);
      if (seen === '-') return;
      first = `(${seen}`;
    }
  }

  private async passRetries(queues: readonly Place[]): Promise<void> {
    for (const place of queues) {
      if (place.queue === 0) await this.passOver('waiting', place.keys, place);
      if (this.of.stored.mode === 'ordered') await this.passOver('parked', place.keys, place);
    }
  }

  private async passOver(
    kind: 'leased' | 'unread' | 'waiting' | 'parked',
    keys: ShardKeys,
    { stream, source, queue }: Place,
    last = '',
  ): Promise<void> {
    const { group, stored } = this.of;
    const groupKeys = keys.group(group);
    const { started, owners, waiting, waitingPayloads } = groupKeys;
    const names = [keys.meta, stream, started, owners, waiting, waitingPayloads, ...groupKeys.parked(queue)];
    const lease = stored.mode === 'ordered' ? queue : '';
    for (let cursor = ''; ;) {
      const args = [
        group,
        kind,
        last,
        cursor,
        PAGE,
        fieldPrefix(source, queue),
        lease,
        this.options.dryRun ? 'dry' : '',
      ];
      const [passed, seen] = await this.page('pass-over', keys, names, args);
      this.count.skipped += Number(passed);
      if (seen === '-') return;
      cursor = seen!;
    }
  }

  private async page(
    name: 'put-back' | 'pass-over',
    keys: ShardKeys,
    names: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<string[]> {
    try {
      return (await this.caller.freeze(name, (slot) => keys.slot(slot), names, args)).split(' ');
    } catch (error) {
      if (error instanceof UnknownFate)
        throw new BrokerRefusedError('how far the replay came is not known; ask again', 'MQ_UNAVAILABLE', error.cause);
      throw error;
    }
  }
}
