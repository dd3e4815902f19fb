// Where exported dead letters go.
import type { ExportedDeadLetter } from './exported-dead-letter.js';

/**
 * Takes dead letters, some at a time, in order of death. What it was given when the process was killed it is given again:
 * make it idempotent by `name`, or use a file. A rejection is tried again for ten minutes.
 */
export type DeadLetterSink = (letters: readonly ExportedDeadLetter[], operationId: string) => Promise<void> | void;

/** A sink as a run sees it. */
export interface ExportSink {
  /** @param from so many bytes are sure; undefined at the very beginning. Resolves with how many are sure now. */
  write(letters: readonly ExportedDeadLetter[], from: number | undefined): Promise<number | undefined>;
  /** After the last letter. @param from as with `write` */
  end(from: number | undefined): Promise<void>;
}

/** A user's sink as a run sees it. */
export function sinkOf(sink: DeadLetterSink, operationId: string): ExportSink {
  return {
    async write(letters) {
      await sink(letters, operationId);
      return undefined;
    },
    end: () => Promise.resolve(),
  };
}
