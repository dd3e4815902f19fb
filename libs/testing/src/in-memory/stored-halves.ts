// Half messages of one shard, and for a while what became of those that were decided.
import type { OutgoingMessage, StoredMessage } from '@millrace/core';

export interface StoredHalf {
  readonly message: StoredMessage;
  readonly routingKey: string;
  /** Queue inside the shard. */
  readonly queue: number;
  readonly due: OutgoingMessage['due'];
  /** Name of its identity record, freed by a rollback. */
  readonly record?: string;
  readonly producerGroup: string;
  readonly since: number;
  checks: number;
  /** Of its next check; Unix ms of the store's clock. */
  checkAt: number;
  parkedAt?: number;
}

export type Outcome = { readonly state: 'committed'; readonly dueAt?: Date } | { readonly state: 'rolled-back' };

export class StoredHalves {
  /** By message id, in the order of their preparation. */
  readonly all = new Map<string, StoredHalf>();
  private readonly outcomes = new Map<string, { outcome: Outcome; expiresAt: number }>();

  get parked(): StoredHalf[] {
    return [...this.all.values()].filter(({ parkedAt }) => parkedAt !== undefined);
  }

  /** A former message of this id does not count any more. */
  add(half: StoredHalf): void {
    this.outcomes.delete(half.message.messageId);
    this.all.set(half.message.messageId, half);
  }

  end(messageId: string, outcome: Outcome, expiresAt: number): void {
    this.all.delete(messageId);
    this.outcomes.set(messageId, { outcome, expiresAt });
  }

  outcome(messageId: string, now: number): Outcome | undefined {
    for (const [id, { expiresAt }] of this.outcomes) if (expiresAt <= now) this.outcomes.delete(id);
    return this.outcomes.get(messageId)?.outcome;
  }
}
