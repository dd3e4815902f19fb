// The limits of the whole group at the door of its handlers. Without any limit this is one flag, read before a start.
import type { OnLoopError } from '../background-loop.js';
import type { Clock } from '../clock.js';
import type { Subscription } from '../consumer/subscription.js';
import type { GroupControl } from './group-control.js';
import type { CheckedRate } from './group-limits.js';
import type { StoredLimits } from './stored-limits.js';
import { Permits } from './permits.js';
import { Slots } from './slots.js';
import type { StartQueue } from './start-queue.js';

export interface AdmissionParts {
  readonly control: Pick<GroupControl, 'bookStarts' | 'holdSlots'>;
  readonly clock: Clock;
  readonly subscription: Subscription;
  /** What the listeners' options say; what is stored wins. */
  readonly code: { readonly rate?: CheckedRate; readonly concurrency?: number };
  readonly onError: OnLoopError;
}

export class Admission {
  /** Read before every start: a plain flag. */
  isLimited = false;
  private permits?: Permits;
  private slots?: Slots;
  private inForce = '';
  private queue: StartQueue = { running: () => 0, wanted: () => 0, wake: () => undefined };

  constructor(private readonly parts: AdmissionParts) {}

  /** Whose starts are limited. */
  guard(queue: StartQueue): void {
    this.queue = queue;
  }

  /** Leave for one start; `undo` it, or start. False: the queue is woken when it is worth another try. */
  enter(now: number): boolean {
    if (this.slots && !this.slots.hasRoom(now)) return false;
    return this.permits === undefined || this.permits.take(now);
  }

  /** As `enter`, for what has its leave and had to wait for its turn. */
  hasRoom(now: number): boolean {
    return this.slots === undefined || this.slots.hasRoom(now);
  }

  undo(now: number): void {
    this.permits?.giveBack(now);
  }

  /** A handler ended. */
  left(): void {
    this.slots?.freed();
  }

  /** Takes over what is stored. */
  update(stored: StoredLimits): void {
    const { code } = this.parts;
    const rate = stored.rateLimit ?? code.rate;
    const concurrency = stored.groupConcurrency ?? code.concurrency;
    const inForce = JSON.stringify([rate, concurrency]);
    if (inForce === this.inForce) return;
    this.inForce = inForce;
    this.limitRate(rate !== undefined && rate !== 'unlimited');
    this.limitConcurrency(concurrency !== undefined && concurrency !== 'unlimited');
    this.isLimited = this.permits !== undefined || this.slots !== undefined;
    this.queue.wake();
  }

  /** Asks for nothing more. */
  async stop(): Promise<void> {
    await Promise.all([this.permits?.stop(), this.slots?.stop()]);
  }

  private limitRate(isLimited: boolean): void {
    if (!isLimited) {
      void this.permits?.stop();
      this.permits = undefined;
    } else if (this.permits) {
      this.permits.forget();
    } else {
      this.permits = this.createPermits();
      this.permits.start();
    }
  }

  private limitConcurrency(isLimited: boolean): void {
    if (!isLimited) {
      void this.slots?.stop();
      this.slots = undefined;
    } else if (this.slots) {
      this.slots.refresh();
    } else {
      this.slots = this.createSlots();
      this.slots.start();
    }
  }

  private createPermits(): Permits {
    const { control, clock, code, subscription, onError } = this.parts;
    return new Permits({
      clock,
      name: `${subscription.topic}/${subscription.group}`,
      book: (wanted) => control.bookStarts(subscription, code.rate, wanted),
      // A start that no slot is there for must not use the rate up.
      wanted: () => Math.min(this.queue.wanted(), this.slots?.room() ?? Infinity),
      wake: () => this.queue.wake(),
      onError,
    });
  }

  private createSlots(): Slots {
    const { control, clock, code, subscription, onError } = this.parts;
    return new Slots({
      clock,
      name: `${subscription.topic}/${subscription.group}`,
      leaseMs: subscription.leaseMs,
      hold: (need) => control.holdSlots(subscription, code.concurrency, need),
      running: () => this.queue.running(),
      wanted: () => this.queue.wanted(),
      wake: () => this.queue.wake(),
      onError,
    });
  }
}
