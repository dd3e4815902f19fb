// Keeps the places of a named instance in the store, so that its next start goes on where this one was.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Clock } from '../clock.js';
import { KEEP_POSITIONS_MS, type BroadcastReader, type BroadcastSpec } from './broadcast-reader.js';
import type { ReadProgress } from './read-progress.js';

export interface PositionKeeperParts {
  readonly reader: Pick<BroadcastReader, 'keep'>;
  readonly clock: Clock;
  readonly spec: BroadcastSpec;
  /** By shard. */
  readonly progress: readonly ReadProgress[];
  /** For errors and health: topic and group. */
  readonly name: string;
  readonly onError: OnLoopError;
}

/** After a crash, what was handled since the last pass comes again. */
const EVERY_MS = 1000;
/** A place that does not move is kept again, so that it does not run out under an instance that lives. */
const REFRESH_MS = KEEP_POSITIONS_MS / 24;

export class PositionKeeper extends BackgroundLoop {
  /** By shard: what was kept, and when (monotonic ms). */
  private readonly kept: { text: string; at: number }[] = [];

  constructor(private readonly parts: PositionKeeperParts) {
    super({
      name: `keep places ${parts.name}`,
      everyMs: EVERY_MS,
      pass: () => this.keep(),
      onError: parts.onError,
      clock: parts.clock,
      isIdle: () => true,
    });
  }

  private async keep(): Promise<void> {
    const { reader, clock, spec, progress } = this.parts;
    for (const [shard, { handled }] of progress.entries()) {
      const text = JSON.stringify(handled);
      const at = clock.monotonic();
      const last = this.kept[shard];
      if (last?.text === text && at - last.at < REFRESH_MS) continue;
      await reader.keep(spec, shard, handled);
      this.kept[shard] = { text, at };
    }
  }
}
