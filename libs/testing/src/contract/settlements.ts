// One settlement of each kind, for promises that hold for all of them.
import type { Settlement } from '@millrace/core';
import { FAILED_TWICE } from './outgoing.js';

export const SETTLEMENTS: readonly { verb: string; settlement: Settlement }[] = [
  { verb: 'ack', settlement: { type: 'ack' } },
  { verb: 'retry', settlement: { type: 'retry', delayMs: 60_000, state: FAILED_TWICE } },
  { verb: 'release', settlement: { type: 'release', delayMs: 60_000 } },
  { verb: 'dead-letter', settlement: { type: 'dead-letter', reason: 'rejected', text: 'no', state: FAILED_TWICE } },
];
