// What a transactional send may be told besides the options of a send.
import type { Duration } from '../duration.js';
import type { SendOptions } from '../producer/send-options.js';

export interface TransactionOptions extends SendOptions {
  /** Who is asked when nobody decides; a listener of this name must be in this process. @default 'producers' */
  producerGroup?: string;
  /** How long the local transaction may take before the first check, at least '1s'. @default the listener's `checkAfter` */
  checkAfter?: Duration;
}

/** The options of the send, and those of the transaction. */
export function splitOptions(given: TransactionOptions = {}): {
  send: SendOptions | undefined;
  producerGroup?: string;
  checkAfter?: Duration;
} {
  // A bad value is refused by the checks of a send.
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { send: given };
  const { producerGroup, checkAfter, ...send } = given;
  return { send, producerGroup, checkAfter };
}
