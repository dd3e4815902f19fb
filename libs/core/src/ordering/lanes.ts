// The lanes of one owned queue, by ordering key.
import { Lane } from './lane.js';

/** Fewer lanes than this are not worth a new table. */
const FEW = 64;

/**
 * By ordering key. A lane stays when it is empty: most keys come again, and chain.ts says why a table whose members come and go
 * with every message is dear. From time to time the others are left behind in the old table.
 */
export class Lanes {
  private table = new Map<string, Lane>();
  /** So many lanes are worth a look at which of them are empty. */
  private many = FEW;

  of(key: string): Lane {
    let lane = this.table.get(key);
    if (!lane) this.table.set(key, (lane = new Lane()));
    return lane;
  }

  get(key: string): Lane | undefined {
    return this.table.get(key);
  }

  values(): Iterable<Lane> {
    return this.table.values();
  }

  sweep(): void {
    if (this.table.size < this.many) return;
    const table = new Map<string, Lane>();
    for (const [key, lane] of this.table) if (!lane.isEmpty || lane.isParked) table.set(key, lane);
    this.table = table;
    this.many = Math.max(FEW, 4 * table.size);
  }

  clear(): void {
    this.table = new Map();
  }
}
