// Whether a replay can begin where it is asked to.
import { TopicError } from '../errors.js';
import type { ReplayOptions, ReplayReport } from './replay-options.js';

/** What is known of the old end of one queue. */
export interface OldEnd {
  /** Something was removed from it once. */
  readonly isTrimmed: boolean;
  /** When the oldest message that is kept became ready, Unix ms; undefined when there is none. */
  readonly firstKeptMs?: number;
}

/**
 * The gap between the instant and the earliest kept message of the queues that reach back less far. Messages that were
 * trimmed have left no trace, so a gap is what may be missing. Throws TopicError `MQ_REPLAY_TRIMMED`.
 */
export function replayGap(
  topic: string,
  { to, ifTrimmed }: Required<ReplayOptions>,
  ends: readonly OldEnd[],
): ReplayReport['gap'] {
  if (!(to instanceof Date)) return undefined;
  const late = ends.filter(({ isTrimmed, firstKeptMs = Infinity }) => isTrimmed && firstKeptMs > to.getTime());
  if (late.length === 0) return undefined;
  const earliest = Math.min(...late.map(({ firstKeptMs = Infinity }) => firstKeptMs));
  const earliestKept = earliest === Infinity ? undefined : new Date(earliest);
  if (ifTrimmed === 'earliest') return { from: to, earliestKept };
  const kept = earliestKept ? `the earliest kept is of ${earliestKept.toISOString()}` : 'nothing is kept';
  throw new TopicError(
    topic,
    `messages of ${topic} from ${to.toISOString()} on were trimmed: ${kept}`,
    'MQ_REPLAY_TRIMMED',
  );
}
