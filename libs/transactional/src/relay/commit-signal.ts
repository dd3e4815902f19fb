// What follows a commit that this process has seen: its relay looks at once; without one, the relays of others are told.
import type { OutboxDatabase } from '../database/outbox-database.js';

export interface CommitSignalParts {
  readonly database: OutboxDatabase;
  readonly relay: { readonly isRunning: boolean; wake(): void };
  /** Absent where the database cannot, or is not to. */
  readonly notify?: (database: OutboxDatabase) => Promise<void>;
}

/**
 * The notification is a statement of its own behind the commit: inside of the transaction PostgreSQL would hold a lock
 * of the whole server from there until the commit is on the disk, and so let such commits happen one at a time.
 */
export class CommitSignal {
  private telling: Promise<void> | undefined;
  private again = false;

  constructor(private readonly parts: CommitSignalParts) {}

  /** Cheap: commits that come while a notification is under way share the next one. */
  readonly tell = (): void => {
    const { relay, notify } = this.parts;
    if (relay.isRunning) return relay.wake();
    if (!notify) return;
    this.again = true;
    this.telling ??= this.tellAll(notify).finally(() => (this.telling = undefined));
  };

  /** Waits for the notification that is under way. */
  async stop(): Promise<void> {
    await this.telling;
  }

  private async tellAll(notify: (database: OutboxDatabase) => Promise<void>): Promise<void> {
    while (this.again) {
      this.again = false;
      // The poller finds what nobody was told of.
      await notify(this.parts.database).catch(() => {});
    }
  }
}
