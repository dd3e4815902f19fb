// Messages that wait for their due time, in memory: list, count, find, histogram.
import {
  checkScheduledFilter,
  checkRef,
  dueInstants,
  matchesScheduled,
  refOf,
  scheduledCursor,
  scheduledQuery,
  searchedOf,
  type DueHistogram,
  type DueQuery,
  type MessageRef,
  type ScheduledDetails,
  type ScheduledFilter,
  type ScheduledPage,
  type ScheduledQuery,
} from '@millrace/core';
import { findWaiting } from './cancel.js';
import type { DueItem } from './due-store.js';
import type { ScheduledMessage } from './shard.js';
import type { StoredTopic } from './stored-topic.js';

/** As many one call looks at, as on Redis. */
const LOOKS_PER_CALL = 1000;

export function listScheduled(topic: StoredTopic, query: ScheduledQuery): ScheduledPage {
  const { filter, limit, positions } = scheduledQuery(query, 1);
  const [behind] = positions;
  const messages: ScheduledDetails[] = [];
  let looked = 0;
  let last: ScheduledDetails | undefined;
  for (const details of waiting(topic)) {
    if (behind === 'end' || (behind && compare(details, behind) <= 0)) continue;
    if (!matchesScheduled(details, { dueFrom: filter.dueFrom, dueBefore: filter.dueBefore })) continue;
    if (looked === LOOKS_PER_CALL || messages.length === limit)
      return { messages: messages.map(summaryOf), cursor: scheduledCursor([placeOf(last!)]) };
    looked++;
    last = details;
    if (matchesScheduled(details, filter)) messages.push(details);
  }
  return { messages: messages.map(summaryOf), cursor: undefined };
}

export function countScheduled(topic: StoredTopic, filter: ScheduledFilter): number {
  checkScheduledFilter(filter);
  return waiting(topic).filter((message) => matchesScheduled(message, filter)).length;
}

export function findScheduled(topic: StoredTopic, ref: MessageRef, now: number): ScheduledDetails | undefined {
  checkRef(ref);
  const found = findWaiting(topic, ref, now);
  return typeof found === 'string' ? undefined : detailsOf(topic, found.item);
}

export function dueHistogram(topic: StoredTopic, query: DueQuery, now: number): DueHistogram {
  const instants = dueInstants(query, now);
  const dues = waiting(topic).map(({ dueAt }) => dueAt.getTime());
  const between = (from: number, until: number): number => dues.filter((due) => due >= from && due < until).length;
  return {
    before: between(-Infinity, instants[0]!),
    steps: instants.slice(0, -1).map((at, step) => ({ from: new Date(at), count: between(at, instants[step + 1]!) })),
    after: between(instants.at(-1)!, Infinity),
  };
}

function waiting(topic: StoredTopic): ScheduledDetails[] {
  const all = topic.shards.flatMap(({ scheduled }) => scheduled.items().map((item) => detailsOf(topic, item)));
  return all.toSorted((a, b) => compare(a, placeOf(b)));
}

function detailsOf({ settings }: StoredTopic, { id, dueAt, value }: DueItem<ScheduledMessage>): ScheduledDetails {
  const { message } = value;
  const searched = searchedOf(message);
  const ref = refOf({ messageId: id, ...searched });
  return { messageId: id, topic: settings.topic, dueAt: new Date(dueAt), ...searched, ref, message };
}

function summaryOf({ message: _message, ...summary }: ScheduledDetails): Omit<ScheduledDetails, 'message'> {
  return summary;
}

const placeOf = ({ dueAt, messageId }: ScheduledDetails): { at: number; name: string } => ({
  at: dueAt.getTime(),
  name: messageId,
});

function compare(message: ScheduledDetails, to: { at: number; name: string }): number {
  return message.dueAt.getTime() - to.at || Buffer.compare(Buffer.from(message.messageId), Buffer.from(to.name));
}
