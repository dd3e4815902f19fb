// The dead letters of a group in memory: list, count, read, edit, purge.
import {
  countPages,
  deadLetterCursor,
  deadLetterQuery,
  editedLetter,
  matchesFilter,
  searchedOf,
  type DeadLetter,
  type DeadLetterAdmin,
  type DeadLetterChange,
  type DeadLetterCount,
  type DeadLetterFilter,
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterSummary,
  type RedriveOptions,
} from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import { redrive, type Redrive } from './redrive.js';
import type { BuriedMessage, StoredGroup } from './stored-group.js';

/** As many letters one call looks at, as on Redis. */
const LOOKS_PER_CALL = 1000;

export class InMemoryDeadLetters implements DeadLetterAdmin {
  constructor(protected readonly store: InMemoryStore) {}

  async now(): Promise<number> {
    return this.store.now();
  }

  async deadLetters(topic: string, group: string, page: { offset: number; limit: number }): Promise<DeadLetter[]> {
    const letters = this.inOrder(topic, group).map(({ letter }) => letter);
    return letters.toReversed().slice(page.offset, page.offset + page.limit);
  }

  async listDeadLetters(topic: string, group: string, query: DeadLetterQuery = {}): Promise<DeadLetterPage> {
    const { filter, order, limit, positions } = deadLetterQuery(query, 1);
    const [behind] = positions;
    const oldest = this.inOrder(topic, group).map(({ letter }) => letter);
    const all = order === 'oldest' ? oldest : oldest.toReversed();
    const isBehind = (letter: DeadLetter): boolean => {
      if (behind === undefined) return true;
      if (behind === 'end') return false;
      const from = compare(letter, behind);
      return order === 'oldest' ? from > 0 : from < 0;
    };
    const letters: DeadLetterSummary[] = [];
    let looked = 0;
    let last: DeadLetter | undefined;
    for (const letter of all.filter(isBehind)) {
      if (looked === LOOKS_PER_CALL || letters.length === limit)
        return { letters, cursor: deadLetterCursor(order, [{ at: last!.deadAt.getTime(), name: last!.name }]) };
      looked++;
      last = letter;
      if (matchesFilter(letter, filter)) letters.push(summaryOf(letter));
    }
    return { letters, cursor: undefined };
  }

  countDeadLetters(topic: string, group: string, filter?: DeadLetterFilter): Promise<DeadLetterCount> {
    return countPages((query) => this.listDeadLetters(topic, group, query), filter);
  }

  async deadLetter(topic: string, group: string, name: string): Promise<DeadLetter | undefined> {
    return this.find(topic, group, name)?.letter;
  }

  async editDeadLetter(
    topic: string,
    group: string,
    name: string,
    change: DeadLetterChange,
  ): Promise<DeadLetter | undefined> {
    const found = this.find(topic, group, name);
    if (!found) return undefined;
    const { message, state } = editedLetter(found.letter, change, this.store.now());
    found.letter = { ...found.letter, ...searchedOf(message), message, state };
    return found.letter;
  }

  async redrive(topic: string, group: string, which: Redrive): Promise<string[]> {
    const stored = this.store.find(topic);
    const found = stored?.groups.get(group);
    return stored && found ? redrive(this.store, stored, found, which) : [];
  }

  async purgeDeadLetters(
    topic: string,
    group: string,
    names: readonly string[],
    { diedUntil }: Pick<RedriveOptions, 'diedUntil'> = {},
  ): Promise<number> {
    const found = this.store.find(topic)?.groups.get(group);
    if (!found) return 0;
    const gone = found.dead.filter(
      ({ letter }) => names.includes(letter.name) && (diedUntil === undefined || letter.deadAt <= diedUntil),
    );
    found.forget(gone);
    found.purged += gone.length;
    return gone.length;
  }

  private find(topic: string, group: string, name: string): BuriedMessage | undefined {
    return this.groupOf(topic, group)?.dead.find(({ letter }) => letter.name === name);
  }

  private inOrder(topic: string, group: string): BuriedMessage[] {
    const dead = this.groupOf(topic, group)?.dead ?? [];
    return dead.toSorted((a, b) => compare(a.letter, { at: b.letter.deadAt.getTime(), name: b.letter.name }));
  }

  private groupOf(topic: string, group: string): StoredGroup | undefined {
    return this.store.find(topic)?.groups.get(group);
  }
}

function summaryOf({ message: _message, ...summary }: DeadLetter): DeadLetterSummary {
  return summary;
}

function compare(letter: DeadLetter, to: { at: number; name: string }): number {
  return letter.deadAt.getTime() - to.at || Buffer.compare(Buffer.from(letter.name), Buffer.from(to.name));
}
