// The groups of a topic, as stored: whoever promotes or trims must know all of them, not only those of this process.
import type { Connections } from './connections.js';
import type { ShardKeys } from './keys.js';
import type { StoredGroup } from './topics.js';

const FIELD = 'group:';
/** A group that another process declares is seen by promotion and trimming after this long at the latest. */
const REFRESH_MS = 2_000;

interface Cached {
  readonly groups: ReadonlyMap<string, StoredGroup>;
  readonly at: number;
}

export class DeclaredGroups {
  private readonly cache = new Map<string, Cached>();

  constructor(private readonly connections: Connections) {}

  async of(keys: ShardKeys): Promise<ReadonlyMap<string, StoredGroup>> {
    const cached = this.cache.get(keys.meta);
    if (cached && this.connections.monotonic() - cached.at < REFRESH_MS) return cached.groups;
    return (await this.read(keys)).groups;
  }

  /** Groups and counters as they are now; also refreshes what `of` gives. */
  async read(
    keys: ShardKeys,
  ): Promise<{ groups: ReadonlyMap<string, StoredGroup>; counters: ReadonlyMap<string, number> }> {
    const groups = new Map<string, StoredGroup>();
    const counters = new Map<string, number>();
    for (const [field, value] of Object.entries(await this.connections.command().hgetall(keys.meta))) {
      if (field.startsWith(FIELD)) groups.set(field.slice(FIELD.length), JSON.parse(value) as StoredGroup);
      else if (/^\d+$/.test(value)) counters.set(field, Number(value));
    }
    this.cache.set(keys.meta, { groups, at: this.connections.monotonic() });
    return { groups, counters };
  }

  forget(keys: ShardKeys): void {
    this.cache.delete(keys.meta);
  }
}
