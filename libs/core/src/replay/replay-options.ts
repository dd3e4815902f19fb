// Replay: moving a group back or forward on a topic. Documentation, defaults and checks in one place.
import { InvalidOptionError } from '../errors.js';
import { checkOptions } from '../option-check.js';

/** RocketMQ's "reset offset", per group. */
export interface ReplayOptions {
  /**
   * `first`: everything that is kept comes again. An instant: what became ready from then on; one that lies beyond what
   * the group has read skips what is before it. `last`: the whole backlog is skipped, retries included.
   */
  to: 'first' | 'last' | Date;
  /** Only count. @default false */
  dryRun?: boolean;
  /**
   * Where messages may have been trimmed between the instant and the earliest one that is kept: refuse with
   * `MQ_REPLAY_TRIMMED`, or begin with the earliest kept and report the gap. @default 'refuse'
   */
  ifTrimmed?: 'refuse' | 'earliest';
}

/** What was done, or with `dryRun` would be. */
export interface ReplayReport {
  /** Finished messages that come again, as in their first attempt. */
  readonly putBack: number;
  /** Leased messages that are taken from who holds them, and come again too. */
  readonly interrupted: number;
  /** Unfinished messages that are passed over. */
  readonly skipped: number;
  /** Present when messages may be missing: they were trimmed away. */
  readonly gap?: { readonly from: Date; readonly earliestKept?: Date };
}

export const REPLAY_DEFAULTS = { dryRun: false, ifTrimmed: 'refuse' } as const;

/** Throws InvalidOptionError. */
export function checkReplay(options: ReplayOptions): Required<ReplayOptions> {
  checkOptions('replay', options, ['to', ...Object.keys(REPLAY_DEFAULTS)]);
  const { to, dryRun = REPLAY_DEFAULTS.dryRun, ifTrimmed = REPLAY_DEFAULTS.ifTrimmed } = options;
  if (to !== 'first' && to !== 'last' && !(to instanceof Date && !Number.isNaN(to.getTime())))
    throw new InvalidOptionError('replay.to', to, "must be 'first', 'last' or a Date");
  if (typeof dryRun !== 'boolean') throw new InvalidOptionError('replay.dryRun', dryRun, 'must be true or false');
  if (ifTrimmed !== 'refuse' && ifTrimmed !== 'earliest')
    throw new InvalidOptionError('replay.ifTrimmed', ifTrimmed, "must be 'refuse' or 'earliest'");
  return { to, dryRun, ifTrimmed };
}
