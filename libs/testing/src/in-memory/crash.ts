// When a delivery changes hands because its lease ended.
import type { PendingEntry } from './stored-group.js';

/** The lease ended without a settlement: a crash if the handler had begun, nothing otherwise. */
export function countCrash(pending: PendingEntry): void {
  if (pending.started) pending.state = { ...pending.state, crashes: pending.state.crashes + 1 };
  pending.started = false;
}
