// One shard of a topic: its queues, what is scheduled in it, and its identity records.
import type { StoredMessage } from '@millrace/core';
import { Arrivals } from './arrivals.js';
import { DueStore } from './due-store.js';
import { EntryStream } from './entry-stream.js';
import { IdentityRecords } from './identity-records.js';
import { StoredHalves } from './stored-halves.js';

export interface ScheduledMessage {
  readonly message: StoredMessage;
  /** Queue inside the shard. */
  readonly queue: number;
  /** Name of its identity record, freed by a cancel. */
  readonly record?: string;
}

export class Shard {
  readonly queues: readonly EntryStream[];
  /** By message id. */
  readonly scheduled = new DueStore<ScheduledMessage>();
  readonly records = new IdentityRecords();
  readonly halves = new StoredHalves();
  readonly arrivals = new Arrivals();

  constructor(queues: number) {
    this.queues = Array.from({ length: queues }, () => new EntryStream());
  }
}
