// A delivery in our hands, from its arrival until its settlement is answered.
import type { Chain, Chained } from './chain.js';
import type { Delivery } from './delivery.js';
import type { DeliveryContext } from './delivery-context.js';
import type { HandlerPool } from './handler-pool.js';
import type { HandlerResult } from './settlement.js';
import type { QueueLanes } from '../ordering/queue-lanes.js';
import type { WatchedRun } from './timeout-watch.js';

/**
 *   waiting --start--> running --ended--> settling --answered--> gone
 *    |                    |                  ^
 *    |                 time-out + grace      |
 *    |                    v                  |
 *    |                 stalled --ended-------+
 *    +--skipped, spent, undecodable, handed back, parked behind its key--> settling
 *    +--lease lost--> gone
 *
 * `stalled` exists in ordered mode only: elsewhere a handler that outlives its grace is settled as failed at once.
 */
export type HeldState = 'waiting' | 'running' | 'stalled' | 'settling' | 'gone';

export class HeldDelivery implements Chained<HeldDelivery> {
  /** Those that wait for a place in the pool. */
  chain?: Chain<HeldDelivery>;
  before?: HeldDelivery;
  after?: HeldDelivery;
  /** Ordered mode: those of the queue that it came from. */
  lanes?: QueueLanes;
  /** While its handler runs. */
  watched?: WatchedRun<HeldDelivery>;
  state: HeldState = 'waiting';
  /** The window's note: counted as about to run, as done, as queued behind others of its key, or not at all. */
  place: 'window' | 'stalled' | 'settling' | 'parked' | 'outside' = 'outside';
  /** Counted by the solo gate: its handler runs, or its settlement is not answered yet. */
  isInGate = false;
  context?: DeliveryContext;
  /** Monotonic ms. */
  startedAt = 0;
  result?: HandlerResult;
  /** Another consumer may own it now: whatever the handler does, nothing is written any more. */
  lost = false;
  /** Takes it out of the queue of those that want to run alone. */
  withdraw?: () => void;
  /** Told when it is no longer in our hands; by then its handler has ended, or was given up. */
  onGone?: () => void;

  constructor(
    public delivery: Delivery,
    /** Undefined when no listener of this process wants its tag. */
    readonly pool: HandlerPool | undefined,
  ) {}

  get isRunning(): boolean {
    return this.state === 'running' || this.state === 'stalled';
  }
}
