// OnceRecords in memory: which keys of idempotent listeners are claimed, and which are done.
import { ClosedError, type ClaimAnswer, type OnceClaim, type OnceRecords } from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';

/** Instants are Unix ms of the store's clock. */
export type OnceRecord = {
  readonly messageId: string;
  readonly fence: number;
  /** Forgotten from then on. */
  readonly expiresAt: number;
} & (
  | { readonly type: 'claimed'; readonly until: number }
  | { readonly type: 'done'; readonly at: number; readonly result?: string }
);

export class InMemoryOnce implements OnceRecords {
  constructor(
    private readonly store: InMemoryStore,
    private readonly isClosed: () => boolean,
  ) {}

  async claim(claims: readonly OnceClaim[]): Promise<ClaimAnswer[]> {
    return claims.map((claim) => this.claimOne(claim));
  }

  async renew(claims: readonly OnceClaim[]): Promise<OnceClaim[]> {
    return claims.filter((claim) => {
      const isHeld = this.isHeld(claim);
      if (isHeld) this.put(claim);
      return isHeld;
    });
  }

  async complete(claim: OnceClaim, result?: string): Promise<'completed' | 'lost'> {
    const { messageId, fence, name, ttlMs } = claim;
    const isHeld = this.isHeld(claim);
    const record = this.find(claim);
    if (!isHeld) return record?.type === 'done' && isSame(record, claim) ? 'completed' : 'lost';
    const at = this.store.now();
    this.records(claim).set(name, { type: 'done', messageId, fence, at, result, expiresAt: at + ttlMs });
    return 'completed';
  }

  async release(claim: OnceClaim): Promise<void> {
    if (this.isHeld(claim)) this.records(claim).delete(claim.name);
  }

  private claimOne(claim: OnceClaim): ClaimAnswer {
    const record = this.find(claim);
    const now = this.store.now();
    if (record?.type === 'done' && !this.isReplayed(record, claim))
      return { type: 'done', messageId: record.messageId, ...(record.result ? { result: record.result } : {}) };
    if (record?.type === 'claimed' && record.until > now && !isFollowedBy(record, claim))
      return { type: 'busy', leftMs: record.until - now };
    this.put(claim);
    return { type: 'granted' };
  }

  private put(claim: OnceClaim): void {
    const { messageId, fence, leaseMs, ttlMs, name } = claim;
    const now = this.store.now();
    const expiresAt = now + Math.max(ttlMs, leaseMs);
    this.records(claim).set(name, { type: 'claimed', messageId, fence, until: now + leaseMs, expiresAt });
  }

  private isHeld(claim: OnceClaim): boolean {
    const record = this.find(claim);
    return record?.type === 'claimed' && isSame(record, claim);
  }

  private isReplayed(record: Extract<OnceRecord, { type: 'done' }>, claim: OnceClaim): boolean {
    const { replayedAt = -Infinity } = this.store.topic(claim.topic).groups.get(claim.group) ?? {};
    return record.messageId === claim.messageId && record.at <= replayedAt && claim.fence > record.fence;
  }

  private find(claim: OnceClaim): OnceRecord | undefined {
    const records = this.records(claim);
    const record = records.get(claim.name);
    if (!record || record.expiresAt > this.store.now()) return record;
    records.delete(claim.name);
    return undefined;
  }

  private records({ topic, group }: OnceClaim): Map<string, OnceRecord> {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
    return this.store.topic(topic).onceOf(group);
  }
}

function isSame(record: OnceRecord, { messageId, fence }: OnceClaim): boolean {
  return record.messageId === messageId && record.fence === fence;
}

/** The claim is the same hand-over's, or a later one's of the same message: the former has ended. */
function isFollowedBy(record: OnceRecord, { messageId, fence }: OnceClaim): boolean {
  return record.messageId === messageId && fence >= record.fence;
}
