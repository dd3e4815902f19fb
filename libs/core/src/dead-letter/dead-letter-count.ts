// Counting dead letters, for every broker.
import type { DeadLetterCount, DeadLetterPage, DeadLetterQuery } from './dead-letter-admin.js';
import { errorOf, type DeadLetterFilter } from './dead-letter-filter.js';
import { MOST_PER_PAGE } from './dead-letter-query.js';

/** Adds up all pages. */
export async function countPages(
  list: (query: DeadLetterQuery) => Promise<DeadLetterPage>,
  filter?: DeadLetterFilter,
): Promise<DeadLetterCount> {
  const byReason = new Map<string, number>();
  const byError = new Map<string, number>();
  let total = 0;
  let cursor: string | undefined;
  do {
    const page = await list({ filter, cursor, order: 'oldest', limit: MOST_PER_PAGE });
    for (const letter of page.letters) {
      total++;
      for (const [counts, of] of [[byReason, letter.reason] as const, [byError, errorOf(letter)] as const])
        counts.set(of, (counts.get(of) ?? 0) + 1);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { total, byReason: Object.fromEntries(byReason), byError: Object.fromEntries(byError) };
}
