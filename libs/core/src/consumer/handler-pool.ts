// The running handlers of one listener: never more than its concurrency at once.
import type { HeldDelivery } from './held-delivery.js';
import type { Listener } from './listener.js';
import type { TimeoutWatch } from './timeout-watch.js';

export class HandlerPool {
  /** First in, first out; a Set because deliveries also leave from its middle when their lease is lost. */
  readonly waiting = new Set<HeldDelivery>();
  running = 0;

  constructor(
    readonly listener: Listener,
    readonly watch: TimeoutWatch<HeldDelivery>,
  ) {}

  get hasRoom(): boolean {
    return this.running < this.listener.spec.concurrency;
  }
}
