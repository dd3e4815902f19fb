// Business identities of one shard: what makes a second send with the same key a duplicate.

export interface IdentityRecord {
  readonly messageId: string;
  /** Digest of tag and body; another digest under the same key is a conflict. */
  readonly digest: string;
  /** Queue over all shards, for the duplicate's receipt. */
  readonly queue: number;
  /** When the first send was stored; Unix ms of the store's clock. */
  readonly storedAt: number;
  /** Forgotten from this instant on: max(window, due + window) after the first send. */
  expiresAt: number;
}

export class IdentityRecords {
  private readonly byName = new Map<string, IdentityRecord>();

  get(name: string, now: number): IdentityRecord | undefined {
    const record = this.byName.get(name);
    if (!record || record.expiresAt > now) return record;
    this.byName.delete(name);
    return undefined;
  }

  put(name: string, record: IdentityRecord): void {
    this.byName.set(name, record);
  }

  delete(name: string): void {
    this.byName.delete(name);
  }

  /** Lets go of what has expired; correctness does not need it, memory does. */
  forgetExpired(now: number): void {
    for (const name of this.byName.keys()) this.get(name, now);
  }
}
