// Limits of a group that an operator stores at run time.
import { checkOptions } from '../option-check.js';
import { checkGroupConcurrency, checkRate, type CheckedRate, type RateLimit } from './group-limits.js';

/** What `admin.setLimits` takes: the whole set. What is undefined goes back to what the listeners' code says. */
export interface GroupLimits {
  rateLimit?: RateLimit | 'unlimited';
  groupConcurrency?: number | 'unlimited';
}

/** Limits as an operator stored them; they win over the listeners' options. */
export interface StoredLimits {
  readonly rateLimit?: CheckedRate | 'unlimited';
  readonly groupConcurrency?: number | 'unlimited';
}

/** Checks what an operator says. Throws InvalidOptionError. */
export function checkLimits(limits: GroupLimits): StoredLimits {
  checkOptions('limits', limits, ['rateLimit', 'groupConcurrency']);
  const { rateLimit, groupConcurrency } = limits;
  return {
    ...(rateLimit === undefined
      ? {}
      : { rateLimit: rateLimit === 'unlimited' ? rateLimit : checkRate('limits.rateLimit', rateLimit) }),
    ...(groupConcurrency === undefined
      ? {}
      : {
          groupConcurrency:
            groupConcurrency === 'unlimited'
              ? groupConcurrency
              : checkGroupConcurrency('limits.groupConcurrency', groupConcurrency),
        }),
  };
}
