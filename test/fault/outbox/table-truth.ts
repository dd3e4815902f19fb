// Holds the effects in the database against the rows of business: the two ends of outbox and inbox, with the truth in
// committed rows and nothing but committed rows.

export interface CommittedRow {
  /** `producer/number`. */
  readonly name: string;
  /** Ordering key; 0 = none. */
  readonly key: number;
}

export interface EffectRow {
  readonly name: string;
  /** Consumer group, by number. */
  readonly group: number;
}

export interface Effects {
  /** In the order of their commits. */
  readonly committed: readonly CommittedRow[];
  /** In the order of their commits, over all groups. */
  readonly effects: readonly EffectRow[];
  /** Numbers of the groups that must have an effect of every row, and whether in the order of each key. */
  readonly groups: readonly { readonly number: number; readonly ordered: boolean }[];
}

/** One sentence for each row that is not as promised, the worst first. */
export function broken({ committed, effects, groups }: Effects): string[] {
  const places = new Map(committed.map(({ name, key }, place) => [name, { key, place }]));
  const found = {
    lost: [] as string[],
    unexpected: [] as string[],
    doubled: [] as string[],
    reordered: [] as string[],
  };
  for (const { number, ordered } of groups) {
    const seen = new Set<string>();
    const latest = new Map<number, { place: number; name: string }>();
    for (const { name } of effects.filter(({ group }) => group === number)) {
      const row = places.get(name);
      if (!row) found.unexpected.push(`${name} has an effect in group ${number}, and no committed row`);
      else if (seen.has(name)) found.doubled.push(`${name} has another effect in group ${number}`);
      seen.add(name);
      if (!row || row.key === 0 || !ordered) continue;
      const before = latest.get(row.key);
      if (before && before.place > row.place)
        found.reordered.push(`${name} has its effect in group ${number} after ${before.name} of its key`);
      else latest.set(row.key, { place: row.place, name });
    }
    for (const { name } of committed)
      if (!seen.has(name)) found.lost.push(`${name} is committed and has no effect in group ${number}`);
  }
  return [...found.lost, ...found.unexpected, ...found.doubled, ...found.reordered];
}
