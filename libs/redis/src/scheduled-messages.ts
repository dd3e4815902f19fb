// Messages that wait for their due time: list, count, find, histogram. One bounded call per bucket; nothing is written.
import {
  checkRef,
  checkScheduledFilter,
  countScheduledPages,
  dueInstants,
  matchesScheduled,
  refOf,
  scheduledCursor,
  scheduledQuery,
  searchedOf,
  type DeadLetterPosition,
  type DueHistogram,
  type DueQuery,
  type MessageRef,
  type ScheduledDetails,
  type ScheduledFilter,
  type ScheduledMessage,
  type ScheduledPage,
  type ScheduledQuery,
} from '@millrace/core';
import type { Caller } from './caller.js';
import { MergedPages, type Piece } from './merged-pages.js';
import { places } from './schedule.js';
import type { KnownTopic } from './topics.js';

/** About half a ms of the server's time each. */
const MESSAGES_PER_CALL = 100;
const BYTES_PER_CALL = 512 * 1024;

/** Zset and hash of a bucket. */
type Bucket = readonly [due: string, payloads: string];

export class ScheduledMessages {
  private readonly buckets: readonly Bucket[];

  constructor(
    private readonly caller: Caller,
    private readonly topic: KnownTopic,
  ) {
    const numbers = Array.from({ length: topic.settings.delayBuckets }, (_, bucket) => bucket);
    this.buckets = topic.shards.flatMap((keys) =>
      numbers.map((bucket): Bucket => [keys.delayed(bucket), keys.delayedPayloads(bucket)]),
    );
  }

  async list(query: ScheduledQuery): Promise<ScheduledPage> {
    const { filter, limit, positions } = scheduledQuery(query, this.buckets.length);
    const read = (place: number, position: DeadLetterPosition) => this.read(this.buckets[place]!, position, filter);
    const pages = new MergedPages({ positions, direction: 1, of: placeOf, read });
    const messages: ScheduledMessage[] = [];
    await pages.each((message) => {
      if (matchesScheduled(message, filter)) messages.push(message);
      return messages.length < limit;
    });
    return { messages, cursor: scheduledCursor(pages.positions) };
  }

  async count(filter: ScheduledFilter): Promise<number> {
    checkScheduledFilter(filter);
    const { dueFrom, dueBefore, tag, key, orderingKey } = filter;
    if (tag !== undefined || key !== undefined || orderingKey !== undefined)
      return countScheduledPages((query) => this.list(query), filter);
    const counts = await this.between([dueFrom?.getTime() ?? '-inf', dueBefore?.getTime() ?? '+inf']);
    return counts[0]!;
  }

  async find(ref: MessageRef): Promise<ScheduledDetails | undefined> {
    checkRef(ref);
    for (const { records, record, messageId, buckets } of places(this.topic, ref)) {
      const reply = await this.caller.run('read-scheduled', [records, ...buckets], [messageId, record], 'buffer');
      if (!Array.isArray(reply)) continue;
      const [due, id, tag, okey, meta, body] = reply as Buffer[];
      const found = this.decode([id!, tag!, okey!, meta!, due!]);
      const message = { messageId: found.messageId, tag: tag!.toString(), orderingKey: okey!.toString() };
      return { ...found, message: { ...message, meta: meta!, body: body! } };
    }
    return undefined;
  }

  async histogram(query: DueQuery, now: number): Promise<DueHistogram> {
    const instants = dueInstants(query, now);
    const counts = await this.between(['-inf', ...instants, '+inf']);
    const steps = instants.slice(0, -1).map((at, step) => ({ from: new Date(at), count: counts[step + 1]! }));
    return { before: counts[0]!, steps, after: counts.at(-1)! };
  }

  /** How many are due from each instant to before the next, over all buckets. */
  private async between(instants: readonly (number | string)[]): Promise<number[]> {
    // A range that ends before it begins holds nothing: so the server says too.
    const calls = this.buckets.map(([due]) => this.caller.run('count-scheduled', [due], instants));
    const counts = (await Promise.all(calls)) as number[][];
    return instants.slice(1).map((_, at) => counts.reduce((sum, of) => sum + of[at]!, 0));
  }

  private async read(
    bucket: Bucket,
    position: DeadLetterPosition,
    { dueFrom, dueBefore }: ScheduledFilter,
  ): Promise<Piece<ScheduledMessage>> {
    const { at, name } = typeof position === 'object' ? position : { at: '', name: '' };
    const times = [dueFrom?.getTime() ?? '', dueBefore?.getTime() ?? ''];
    const args = [at, name, ...times, MESSAGES_PER_CALL, BYTES_PER_CALL];
    const reply = await this.caller.run('list-scheduled', bucket, args, 'buffer');
    const [more, lastAt, lastName, rows] = reply as [Buffer, Buffer, Buffer, Buffer[][]];
    return {
      rows: rows.map((row) => this.decode(row)),
      reached: lastAt.length === 0 ? undefined : { at: Number(lastAt.toString()), name: lastName.toString() },
      ended: more.toString() === 'END',
    };
  }

  private decode([id, tag, okey, meta, due]: readonly Buffer[]): ScheduledMessage {
    const messageId = id!.toString();
    const searched = searchedOf({ tag: tag!.toString(), orderingKey: okey!.toString(), meta: meta! });
    const dueAt = new Date(Number(due!.toString()));
    return { messageId, topic: this.topic.settings.topic, dueAt, ...searched, ref: refOf({ messageId, ...searched }) };
  }
}

function placeOf({ dueAt, messageId }: ScheduledMessage): { at: number; name: string } {
  return { at: dueAt.getTime(), name: messageId };
}
