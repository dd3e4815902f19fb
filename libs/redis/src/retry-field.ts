// The field `r` of a retry stream, of waiting retries and of dead letters: the retry state, and what else a message
// carries from one entry to the next.
import { FIRST_DELIVERY, type RetryState } from '@millrace/core';

export interface Carried {
  readonly state: RetryState;
  /** Of the last hand-over. */
  readonly fence?: number;
  /** When the message first became ready for the group, Unix ms of the server. */
  readonly ready?: number;
}

export function encodeState(state: RetryState, { fence, readyAt }: { fence?: number; readyAt?: number }): string {
  return JSON.stringify({ ...state, fence, ready: readyAt });
}

/** A state that cannot be read must not lose its message: the message starts anew. */
export function decodeCarried(text: string): Carried {
  try {
    const { fence, ready, ...state } = JSON.parse(text) as Partial<RetryState> & Omit<Carried, 'state'>;
    const failures = Array.isArray(state.failures) ? state.failures : [];
    return { state: { ...FIRST_DELIVERY, ...state, failures }, fence, ready };
  } catch {
    return { state: FIRST_DELIVERY };
  }
}

export function decodeState(text: string): RetryState {
  return decodeCarried(text).state;
}
