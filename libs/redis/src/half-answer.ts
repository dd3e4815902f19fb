// What a decision came to, as the scripts say it.
import type { HalfAnswer } from '@millrace/core';

/** Of `commit-half` and `rollback-half` for a sender. */
export function answerOf(reply: string): HalfAnswer {
  if (reply === 'COMMITTED -') return { state: 'committed' };
  if (reply.startsWith('COMMITTED ')) return { state: 'committed', dueAt: new Date(Number(reply.slice(10))) };
  return { state: STATES[reply as keyof typeof STATES] };
}

const STATES = { ROLLED_BACK: 'rolled-back', PARKED: 'parked', NOT_FOUND: 'not-found' } as const;
