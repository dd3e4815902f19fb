// Gives the signs of life of one consumer, and does what the state of its group asks for.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Clock } from '../clock.js';
import type { Subscription } from '../consumer/subscription.js';
import type { MqEvents } from '../events.js';
import type { Admission } from './admission.js';
import type { ConsumePause } from './consume-pause.js';
import type { GroupControl } from './group-control.js';
import type { GroupState } from './group-state.js';
import type { TagUnion } from './tag-union.js';

export interface GroupWatchParts {
  readonly control: Pick<GroupControl, 'beat'>;
  readonly clock: Clock;
  readonly events: MqEvents;
  readonly subscription: Subscription;
  readonly pause: ConsumePause;
  readonly admission: Pick<Admission, 'update'>;
  readonly tags: TagUnion;
  readonly onError: OnLoopError;
}

/** What an operator orders takes effect after this long at the latest, and about half of it on average. */
const EVERY_MS = 1000;

export class GroupWatch extends BackgroundLoop {
  private isAlone = false;

  constructor(private readonly parts: GroupWatchParts) {
    const { topic, group } = parts.subscription;
    super({
      name: `watch ${topic}/${group}`,
      everyMs: EVERY_MS,
      maxErrorDelayMs: EVERY_MS,
      pass: () => this.beat(),
      onError: parts.onError,
      clock: parts.clock,
      // Nobody is there to miss its signs of life.
      isIdle: () => this.isAlone,
    });
  }

  /** One beat, and what follows from it. Rejects when the broker cannot be asked; the last known state stays in force. */
  async beat(): Promise<number> {
    const { control, clock, subscription, pause, admission } = this.parts;
    const state = await control.beat(subscription);
    this.compareTags(state);
    admission.update(state.limits);
    pause.update(state.pauses);
    // A pause that ends by itself ends on time, not at the next beat after it.
    const ends = state.pauses.flatMap(({ leftMs }) => leftMs ?? []);
    if (ends.length > 0) this.wakeIn(Math.max(1, Math.min(...ends)));
    this.isAlone = state.members.length <= 1;
    return untilNext(clock.monotonic());
  }

  private compareTags({ members }: GroupState): void {
    const { events, subscription, tags } = this.parts;
    const sets = tags.update(members);
    if (!sets) return;
    const { topic, group } = subscription;
    events.emit('tags-differ', { topic, group, sets });
  }
}

/**
 * All consumers of a process give their signs of life in the same moment, which wakes it, and the broker, once a second
 * and not once for each of them; processes differ, because their clocks begin when they do.
 */
function untilNext(now: number): number {
  const left = EVERY_MS - (now % EVERY_MS);
  return left < EVERY_MS / 4 ? left + EVERY_MS : left;
}
