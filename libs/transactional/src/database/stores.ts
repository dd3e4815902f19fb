// Everything that a dialect must provide, for one table prefix.
import type { InboxStore } from '../inbox/inbox-store.js';
import type { OutboxStore } from '../outbox/outbox-store.js';
import type { CancellationStore } from '../relay/cancellation-store.js';
import type { RelayStore } from '../relay/relay-store.js';
import type { CleanStore } from '../relay/table-cleaner.js';
import type { SchemaStore } from '../schema/schema-check.js';

export interface Stores {
  readonly outbox: OutboxStore;
  readonly relay: RelayStore;
  readonly cancellations: CancellationStore;
  readonly inbox: InboxStore;
  readonly clean: CleanStore;
  readonly schema: SchemaStore;
}
