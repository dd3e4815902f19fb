// Which messages that wait are meant: the options, their checks and the one function that decides, for every broker.
import { InvalidOptionError } from '../errors.js';
import { checkDate, checkOptions } from '../option-check.js';
import type { ScheduledMessage } from './scheduled-message.js';

/** All that is given must hold; nothing given means every message that waits. */
export interface ScheduledFilter {
  /** Due at this instant or later, by the broker's clock. */
  dueFrom?: Date;
  /** Due before this instant. */
  dueBefore?: Date;
  /** '' means without a tag. */
  tag?: string;
  /** One of its business keys, or its idempotency key. */
  key?: string;
  orderingKey?: string;
}

/** Throws InvalidOptionError. */
export function checkScheduledFilter(filter: ScheduledFilter): void {
  checkOptions('filter', filter, ['dueFrom', 'dueBefore', 'tag', 'key', 'orderingKey']);
  for (const name of ['tag', 'key', 'orderingKey'] as const)
    if (filter[name] !== undefined && typeof filter[name] !== 'string')
      throw new InvalidOptionError(`filter.${name}`, filter[name], 'must be a string');
  for (const name of ['dueFrom', 'dueBefore'] as const) checkDate(`filter.${name}`, filter[name]);
}

/** Whether the message is meant. The filter was checked before. */
export function matchesScheduled(
  message: Pick<ScheduledMessage, 'dueAt' | 'tag' | 'keys' | 'idempotencyKey' | 'orderingKey'>,
  { dueFrom, dueBefore, tag, key, orderingKey }: ScheduledFilter,
): boolean {
  return (
    (dueFrom === undefined || message.dueAt >= dueFrom) &&
    (dueBefore === undefined || message.dueAt < dueBefore) &&
    (tag === undefined || (message.tag ?? '') === tag) &&
    (key === undefined || message.keys.includes(key) || message.idempotencyKey === key) &&
    (orderingKey === undefined || (message.orderingKey ?? '') === orderingKey)
  );
}
