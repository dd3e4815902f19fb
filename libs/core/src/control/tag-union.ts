// Which tags of a group are whose: what a process does not know may be another one's, and must not be acked as skipped.
import type { GroupMember } from './group-state.js';

/** How soon a message is offered again that another live member wants: long enough not to spin, short enough to wait. */
const SOON_MS = 250;
/** The same when nobody who wants it lives now: it may come back within the hour. */
const LATER_MS = 10_000;

/** Members that take the same tags. */
export interface TagSet {
  /** As an expression: `*`, `a || b`. */
  readonly tags: string;
  readonly members: readonly string[];
}

export class TagUnion {
  private members: readonly GroupMember[] = [];
  private differing = '';

  /** @param own tags of this process */
  constructor(private readonly self: string) {}

  /** When to offer a message again whose tag another member registered, in ms. */
  handBackMs(tag: string): number {
    return this.isAnothers(tag) ? SOON_MS : LATER_MS;
  }

  /** Whether a live member besides us takes it. */
  isAnothers(tag: string): boolean {
    return this.members.some(({ name, tags }) => name !== this.self && tags.some((one) => one === '*' || one === tag));
  }

  /** Takes the members over. Returns the sets when they differ, and did not differ in this way before. */
  update(members: readonly GroupMember[]): readonly TagSet[] | undefined {
    this.members = members;
    const sets = tagSets(members);
    const differing = sets.length > 1 ? sets.map(({ tags }) => tags).join(' ; ') : '';
    const isNews = differing !== '' && differing !== this.differing;
    this.differing = differing;
    return isNews ? sets : undefined;
  }
}

/** Members by the tags they take; those that did not say are left out. */
export function tagSets(members: readonly GroupMember[]): TagSet[] {
  const sets = new Map<string, string[]>();
  for (const { name, tags } of members) {
    if (tags.length === 0) continue;
    const text = tags.toSorted().join(' || ');
    const others = sets.get(text);
    if (others) others.push(name);
    else sets.set(text, [name]);
  }
  return [...sets].map(([tags, names]) => ({ tags, members: names })).toSorted((a, b) => (a.tags < b.tags ? -1 : 1));
}
