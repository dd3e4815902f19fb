// For tests only: time that a test moves, in the place of the server's and of this process's.
import { readFileSync } from 'node:fs';

/** What a connection asks a test's clock. */
export interface VirtualTime {
  /** Unix ms; the server's clock begins with it. */
  now(): number;
  /** Ms that never go back; leases are measured by it. */
  monotonic(): number;
  /** Where a read waits that found nothing: until there may be something, for `ms` of this time, or until the signal aborts. */
  rest(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What every script call of such a connection carries besides its own. */
export interface VirtualClock extends VirtualTime {
  /** Where the server keeps the time of the namespace. */
  readonly key: string;
}

const text = (path: string): string => readFileSync(new URL(`../../lua/${path}.lua`, import.meta.url), 'utf8');

/** Put before every script. Read with the first use: production never needs it. */
export const virtualPrelude = (): string => `${text('shared/virtual-time')}\n`;

export const moveScript = (): string => text('virtual/move');
