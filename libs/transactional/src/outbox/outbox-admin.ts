// The operator's side of the outbox: look and repair.
import type { OutboxDatabase } from '../database/outbox-database.js';
import type { OutboxRelay, RelayHealth } from '../relay/outbox-relay.js';
import type { OutboxBacklog, OutboxStore, ParkedRow } from './outbox-store.js';

/** How far the outbox is behind, and whether this process works on it. */
export interface OutboxStatus extends OutboxBacklog {
  readonly relay: RelayHealth;
}

export class OutboxAdmin {
  constructor(
    private readonly database: OutboxDatabase,
    private readonly store: OutboxStore,
    private readonly relay: Pick<OutboxRelay, 'health'>,
  ) {}

  async status(): Promise<OutboxStatus> {
    return { ...(await this.store.backlog(this.database)), relay: this.relay.health() };
  }

  /** Messages that the broker refused too often, oldest first. Each blocks its ordering key, if it has one. */
  parked(page: { offset: number; limit: number } = { offset: 0, limit: 100 }): Promise<ParkedRow[]> {
    return this.store.parked(this.database, page);
  }

  /** Lets the relay try parked messages again, from their first attempt. Returns those that were parked. */
  resume(messageIds: readonly string[]): Promise<string[]> {
    return this.store.resume(this.database, messageIds);
  }

  /** Deletes parked messages for good; what they blocked goes on. Returns those that were parked. */
  discard(messageIds: readonly string[]): Promise<string[]> {
    return this.store.discard(this.database, messageIds);
  }
}
