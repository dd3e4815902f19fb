// Keeps what this consumer holds: renews all leases in one call, and drops what turns out to be another's.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';
import type { Delivery } from '../consumer/delivery.js';
import type { HeldDelivery } from '../consumer/held-delivery.js';

export interface LeaseKeeperParts {
  readonly broker: Pick<Broker, 'renew'>;
  readonly clock: Clock;
  /** For errors and health: topic and group. */
  readonly name: string;
  readonly leaseMs: number;
  readonly inHand: Iterable<HeldDelivery>;
  /** Another consumer owns it. */
  readonly onLost: (held: HeldDelivery) => void;
  /** After each pass. */
  readonly onRenewed: () => void;
  readonly onError: OnLoopError;
}

/** Three passes per lease: two may fail before a lease is in danger. */
export class LeaseKeeper extends BackgroundLoop {
  constructor(private readonly parts: LeaseKeeperParts) {
    super({
      name: `renew ${parts.name}`,
      everyMs: parts.leaseMs / 3,
      maxErrorDelayMs: parts.leaseMs / 3,
      pass: () => this.renewAll(),
      onError: parts.onError,
      clock: parts.clock,
      isIdle: () => isEmpty(parts.inHand),
    });
  }

  private async renewAll(): Promise<void> {
    const { broker, inHand, onLost, onRenewed } = this.parts;
    const asked = [...inHand];
    if (asked.length > 0) {
      const renewed = await broker.renew(asked.map(({ delivery }) => delivery));
      const ours = new Map(renewed.map((delivery) => [placeOf(delivery), delivery.leaseUntil]));
      for (const held of asked) {
        const leaseUntil = ours.get(placeOf(held.delivery));
        if (leaseUntil !== undefined) held.delivery.leaseUntil = leaseUntil;
        // Once it is being settled, "not ours" may just mean that the settlement was faster than this answer.
        else if (held.state === 'waiting' || (held.isRunning && !held.lost)) onLost(held);
      }
    }
    onRenewed();
  }
}

function isEmpty(inHand: Iterable<unknown>): boolean {
  for (const _ of inHand) return false;
  return true;
}

/** Where a delivery stands in its group. */
function placeOf({ shard, queue, source, entryId }: Delivery): string {
  return `${shard}/${queue}/${source}/${entryId}`;
}
