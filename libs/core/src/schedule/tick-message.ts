// The message of one tick, and the name that makes it one message whoever sends it.
import type { OutgoingMessage } from '../message/message.js';
import { buildMessage } from '../producer/prepare-message.js';
import type { MessageRef } from '../producer/receipt.js';
import type { ScheduleContent } from './schedule-options.js';
import type { TickName } from './schedule-store.js';

export const SCHEDULE_HEADER = 'mq-schedule';
export const TICK_HEADER = 'mq-tick';

export function tickKey(name: string, { revision, at }: TickName): string {
  return `schedule:${name}:${revision}:${at}`;
}

export function tickRef(name: string, tick: TickName & { orderingKey: string }): MessageRef {
  const idempotencyKey = tickKey(name, tick);
  return tick.orderingKey === '' ? { idempotencyKey } : { idempotencyKey, orderingKey: tick.orderingKey };
}

/** @param tick absent: a message beside the ticks, as `trigger` sends it @param now of this process, Unix ms */
export function tickMessage(
  topic: string,
  name: string,
  content: string,
  now: number,
  tick?: TickName,
): OutgoingMessage {
  const { body, options } = JSON.parse(content) as ScheduleContent;
  const headers: Record<string, string> = { ...options.headers, [SCHEDULE_HEADER]: name };
  if (tick) headers[TICK_HEADER] = new Date(tick.at).toISOString();
  const named = tick ? { idempotencyKey: tickKey(name, tick) } : {};
  const message = buildMessage({ topic, tag: '' }, body, { ...options, ...named, headers }, Infinity, now);
  // An instant as it is: what this process's clock makes of it must not count.
  return tick ? { ...message, due: { atMs: tick.at } } : message;
}
