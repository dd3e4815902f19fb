// Keeps the claims of handlers that run. One wait serves them all, and there is none while nothing runs.
import type { Clock } from '../clock.js';
import type { OnceClaim, OnceRecords } from './once-records.js';

export interface ClaimRenewalParts {
  readonly records: Pick<OnceRecords, 'renew'>;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
}

/** Three renewals per lease: two may fail before a claim is in danger. */
export class ClaimRenewal {
  private readonly held = new Map<OnceClaim, AbortSignal>();
  private isWatching = false;

  constructor(private readonly parts: ClaimRenewalParts) {}

  /** @param signal of the handler: one that was told to stop must not keep others from its key for ever */
  add(claim: OnceClaim, signal: AbortSignal): void {
    this.held.set(claim, signal);
    if (!this.isWatching) void this.watch();
  }

  remove(claim: OnceClaim): void {
    this.held.delete(claim);
  }

  private async watch(): Promise<void> {
    const { clock, leaseMs, onError } = this.parts;
    this.isWatching = true;
    while (this.held.size > 0) {
      await clock.wait(leaseMs / 3);
      await this.renewAll().catch(onError);
    }
    this.isWatching = false;
  }

  private async renewAll(): Promise<void> {
    for (const [claim, signal] of this.held) if (signal.aborted) this.held.delete(claim);
    const asked = [...this.held.keys()];
    if (asked.length === 0) return;
    const renewed = new Set(await this.parts.records.renew(asked));
    // Lost: its handler is told when it ends.
    for (const claim of asked) if (!renewed.has(claim)) this.held.delete(claim);
  }
}
