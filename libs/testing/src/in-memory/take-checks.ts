// Gives out half messages whose check is due, or parks them.
import type { HalfChecks, TakeChecksOptions } from '@millrace/core';
import type { StoredTopic } from './stored-topic.js';

export function takeChecks(
  topic: StoredTopic,
  producerGroup: string,
  { max, intervalMs, maxChecks }: TakeChecksOptions,
  now: number,
): HalfChecks {
  const waiting = topic.shards
    .flatMap(({ halves }) => [...halves.all.values()])
    .filter((half) => half.producerGroup === producerGroup && half.parkedAt === undefined)
    .toSorted((a, b) => a.checkAt - b.checkAt);
  const due = waiting.filter(({ checkAt }) => checkAt <= now).slice(0, max);
  const asked = due.filter(({ checks }) => checks < maxChecks);
  const parked = due.filter(({ checks }) => checks >= maxChecks);
  for (const half of parked) half.parkedAt = now;
  for (const half of asked) {
    half.checks++;
    half.checkAt = now + intervalMs;
  }
  const next = Math.min(...waiting.filter((half) => half.parkedAt === undefined).map(({ checkAt }) => checkAt));
  return {
    checks: asked.map(({ message, routingKey, checks, since }) => {
      return { message, routingKey, checks, since: new Date(since) };
    }),
    parked: parked.map(({ message: { messageId }, checks, since }) => ({ messageId, checks, since: new Date(since) })),
    nextInMs: next === Infinity ? undefined : Math.max(0, next - now),
  };
}
