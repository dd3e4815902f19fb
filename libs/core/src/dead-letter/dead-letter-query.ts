// A query of dead letters: its defaults and checks.
import { InvalidOptionError } from '../errors.js';
import { checkInteger, checkOptions } from '../option-check.js';
import type { DeadLetterQuery } from './dead-letter-admin.js';
import { readCursor, type DeadLetterPosition } from './dead-letter-cursor.js';
import { checkDeadLetterFilter, type DeadLetterFilter } from './dead-letter-filter.js';

export const DEAD_LETTER_QUERY_DEFAULTS = { order: 'newest', limit: 50 } as const;
export const MOST_PER_PAGE = 1000;

export interface DeadLetterQuerySpec {
  readonly filter: DeadLetterFilter;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  /** One for each shard. */
  readonly positions: readonly DeadLetterPosition[];
}

/** Throws InvalidOptionError. */
export function deadLetterQuery(query: DeadLetterQuery, shards: number): DeadLetterQuerySpec {
  checkOptions('deadLetters', query, ['filter', 'order', 'cursor', 'limit']);
  const { filter = {}, cursor } = query;
  const order = query.order ?? DEAD_LETTER_QUERY_DEFAULTS.order;
  if (order !== 'newest' && order !== 'oldest')
    throw new InvalidOptionError('deadLetters.order', order, "must be 'newest' or 'oldest'");
  checkDeadLetterFilter(filter);
  const limit = checkInteger('deadLetters.limit', query.limit ?? DEAD_LETTER_QUERY_DEFAULTS.limit, 1, MOST_PER_PAGE);
  const positions =
    cursor === undefined ? Array.from<undefined>({ length: shards }) : readCursor(cursor, order, shards);
  return { filter, order, limit, positions };
}
