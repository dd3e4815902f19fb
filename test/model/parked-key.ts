// An ordering key of an ordered group whose messages wait at the broker, in the order in which they became ready.
import type { ParkReason } from '@millrace/core';
import type { Entry } from './travelling.js';

export type KeyState =
  | { readonly type: 'waiting'; readonly due: number }
  | { readonly type: 'ready' }
  /** Until a member with a higher epoch owns its queue. */
  | { readonly type: 'taken'; readonly epoch: number }
  /** Until an operator resumes or skips it. */
  | { readonly type: 'exhausted' };

export class ParkedKey {
  members: Entry[] = [];
  state: KeyState = { type: 'ready' };
  /** Handed out, by hand-over: always the first ones. */
  readonly out = new Map<string, Entry>();
  /** Why its first message was given up. */
  readonly reasons = new Map<string, ParkReason>();

  constructor(
    readonly orderingKey: string,
    readonly queue: number,
  ) {}

  get first(): Entry {
    return this.members[0]!;
  }

  join(entry: Entry): void {
    if (!this.members.includes(entry)) this.members.push(entry);
    this.members.sort((a, b) => a.rank - b.rank);
  }

  isFree(epoch: number): boolean {
    return this.state.type === 'ready' || (this.state.type === 'taken' && this.state.epoch < epoch);
  }

  /** Its first message waits for its next attempt. */
  get isRetrying(): boolean {
    return this.state.type === 'waiting' || this.state.type === 'ready';
  }
}
