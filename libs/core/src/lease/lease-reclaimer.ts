// Takes over deliveries whose consumer is gone: their lease expired, and nobody renewed it.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';
import type { Delivery } from '../consumer/delivery.js';
import type { Subscription } from '../consumer/subscription.js';
import type { Window } from '../consumer/window.js';

export interface LeaseReclaimerParts {
  readonly broker: Pick<Broker, 'reclaim'>;
  readonly clock: Clock;
  readonly subscription: Subscription;
  readonly window: Window;
  /** For errors and health: topic and group. */
  readonly name: string;
  readonly accept: (deliveries: readonly Delivery[]) => void;
  readonly onError: OnLoopError;
}

const MIN_EVERY_MS = 100;
const MAX_EVERY_MS = 5000;

export class LeaseReclaimer extends BackgroundLoop {
  constructor(private readonly parts: LeaseReclaimerParts) {
    super({
      name: `reclaim ${parts.name}`,
      everyMs: Math.min(MAX_EVERY_MS, Math.max(MIN_EVERY_MS, parts.subscription.leaseMs / 2)),
      pass: (signal) => this.reclaimAll(signal),
      onError: parts.onError,
      clock: parts.clock,
      isIdle: (isLeased) => !isLeased,
    });
  }

  /** Returns sooner than usual while something was found: who died left more than one look brings. */
  private async reclaimAll(signal: AbortSignal): Promise<number | void> {
    const { broker, subscription, window, accept } = this.parts;
    let isMore = false;
    for (let shard = 0; shard < subscription.shards && !signal.aborted; shard++) {
      const max = window.freeForReclaim;
      if (max === 0) return MIN_EVERY_MS;
      const taken = await broker.reclaim(subscription, shard, { max });
      if (taken.length > 0) accept(taken);
      isMore ||= taken.length > 0;
    }
    return isMore ? MIN_EVERY_MS / 10 : undefined;
  }
}
