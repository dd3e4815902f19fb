// Keeps the window full from one shard of a topic that is read by broadcast.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Clock } from '../clock.js';
import type { Window } from '../consumer/window.js';
import type { BroadcastPage, BroadcastPosition } from './broadcast-page.js';
import type { BroadcastReader, BroadcastSpec } from './broadcast-reader.js';

export interface BroadcastFetcherParts {
  readonly reader: Pick<BroadcastReader, 'read'>;
  readonly clock: Clock;
  readonly spec: BroadcastSpec;
  readonly shard: number;
  readonly shards: number;
  readonly window: Window;
  /** For errors and health: topic and group. */
  readonly name: string;
  /** Where to read on: asked before each read. */
  readonly from: () => readonly BroadcastPosition[];
  readonly accept: (page: BroadcastPage) => void;
  readonly onError: OnLoopError;
}

/** Redis ends a wait with a resolution of 100 ms, and a socket must not look dead: no single wait is longer. */
const MAX_WAIT_MS = 5000;
/** Pause after a read that found nothing and did not wait either: such a broker must not be asked in a tight loop. */
const EMPTY_PAUSE_MS = 5;

/** One waiting read at a time; never ends on an error: the places stay, so that the next pass asks for the same again. */
export class BroadcastFetcher extends BackgroundLoop {
  private readonly wake = (): void => this.wakeIn(0);

  constructor(private readonly parts: BroadcastFetcherParts) {
    super({
      name: `broadcast ${parts.name} shard ${parts.shard}`,
      everyMs: 0,
      pass: (signal) => this.fetch(signal),
      onError: parts.onError,
      clock: parts.clock,
    });
  }

  private async fetch(signal: AbortSignal): Promise<number> {
    const { reader, clock, spec, shard, shards, window, from, accept } = this.parts;
    if (window.isBelowThreshold) {
      window.whenRoom(this.wake);
      return MAX_WAIT_MS;
    }
    const max = Math.max(1, Math.ceil(window.free / shards));
    const askedAt = clock.monotonic();
    const page = await reader.read(spec, shard, from(), { max, waitMs: MAX_WAIT_MS, signal });
    accept(page);
    const isInVain = page.entries.length === 0 && page.gaps.length === 0 && !signal.aborted;
    return isInVain && clock.monotonic() - askedAt < EMPTY_PAUSE_MS ? EMPTY_PAUSE_MS : 0;
  }
}
