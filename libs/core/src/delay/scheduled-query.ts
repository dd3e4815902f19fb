// Queries of messages that wait: their defaults and checks, and where a list goes on.
import { deadLetterCursor, readCursor, type DeadLetterPosition } from '../dead-letter/dead-letter-cursor.js';
import { checkInteger, checkOptions } from '../option-check.js';
import type { ScheduledPage, ScheduledQuery } from './scheduled-admin.js';
import { checkScheduledFilter, type ScheduledFilter } from './scheduled-filter.js';

const MOST_PER_PAGE = 1000;
/** Word of the cursor that keeps it apart from one of dead letters. */
const ORDER = 'due';

/** Behind this message, by due time and id, the next page begins. */
export type ScheduledPosition = DeadLetterPosition;

export interface ScheduledQuerySpec {
  readonly filter: ScheduledFilter;
  readonly limit: number;
  /** One for each bucket of each shard. */
  readonly positions: readonly ScheduledPosition[];
}

/** Throws InvalidOptionError. @param places in how many the messages lie */
export function scheduledQuery(query: ScheduledQuery, places: number): ScheduledQuerySpec {
  checkOptions('scheduled', query, ['filter', 'cursor', 'limit']);
  const { filter = {}, cursor } = query;
  checkScheduledFilter(filter);
  const limit = checkInteger('scheduled.limit', query.limit ?? 50, 1, MOST_PER_PAGE);
  const none = Array.from<undefined>({ length: places });
  return {
    filter,
    limit,
    positions: cursor === undefined ? none : readCursor(cursor, ORDER, places, 'scheduled.cursor'),
  };
}

/** Undefined when every place has come to its end. */
export function scheduledCursor(positions: readonly ScheduledPosition[]): string | undefined {
  return deadLetterCursor(ORDER, positions);
}

/** Counts by looking through all pages. */
export async function countScheduledPages(
  list: (query: ScheduledQuery) => Promise<ScheduledPage>,
  filter: ScheduledFilter,
): Promise<number> {
  let total = 0;
  let cursor: string | undefined;
  do {
    const page = await list({ filter, cursor, limit: MOST_PER_PAGE });
    total += page.messages.length;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return total;
}
