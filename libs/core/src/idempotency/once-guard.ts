// Around everything of an idempotent listener, its middleware included: claim the key, run, say that it is done; then
// the consumer acks.
//
//   free ....... claimed --returned--> done, with the result        claimed --threw, or not done--> free
//   busy ....... handed back, uncounted, until the holder's claim can have run out
//   done ....... acked without running; the stored result goes into the event `duplicate`
//
// Outside of the inbox and its like: done may be said only after their transaction has committed.
import type { Clock } from '../clock.js';
import type { MqContext } from '../consumer/mq-context.js';
import { AlreadyDone, HandBack, Rejection, RetryLater } from '../consumer/outcome.js';
import { MqError } from '../errors.js';
import type { MqEvents } from '../events.js';
import { ClaimRenewal } from './claim-renewal.js';
import type { IdempotentSpec } from './idempotent-option.js';
import type { ClaimAnswer, OnceClaim, OnceRecords } from './once-records.js';
import { recordPlace } from './record-name.js';
import { decodeResult, encodeResult } from './stored-result.js';

export interface OnceGuardParts {
  readonly records: OnceRecords;
  readonly clock: Clock;
  readonly events: MqEvents;
  readonly spec: IdempotentSpec;
  readonly leaseMs: number;
  /** Of the listener, for errors. */
  readonly name: string;
}

/** When to look again while the broker cannot be asked, in ms. */
const ASK_AGAIN_MS = 1000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;

export class OnceGuard {
  private readonly renewal: ClaimRenewal;

  constructor(private readonly parts: OnceGuardParts) {
    const { records, clock, leaseMs } = parts;
    this.renewal = new ClaimRenewal({ records, clock, leaseMs, onError: (error) => this.report('renew', error) });
  }

  async handle(context: MqContext, run: () => Promise<unknown>): Promise<unknown> {
    const claim = this.claimOf(context);
    const answer = await this.claim(claim);
    if (answer?.type === 'done') return new AlreadyDone(answer.messageId, decodeResult(answer.result));
    if (!answer) return new HandBack(ASK_AGAIN_MS);
    if (answer.type === 'busy') return new HandBack(answer.leftMs);
    if (context.signal.aborted) {
      await this.release(claim);
      return new HandBack(0);
    }
    this.renewal.add(claim, context.signal);
    try {
      return await this.runClaimed(claim, context, run);
    } finally {
      this.renewal.remove(claim);
    }
  }

  private async runClaimed(claim: OnceClaim, context: MqContext, run: () => Promise<unknown>): Promise<unknown> {
    let outcome: unknown;
    try {
      outcome = await run();
    } catch (error) {
      await this.release(claim);
      throw error;
    }
    if (isNotDone(outcome)) await this.release(claim);
    else await this.complete(claim, outcome, context);
    return outcome;
  }

  private claimOf(context: MqContext): OnceClaim {
    const { topic, group, messageId, fence } = context;
    const { spec, leaseMs } = this.parts;
    return { topic, group, ...recordPlace(context, spec), messageId, fence, leaseMs, ttlMs: spec.ttlMs };
  }

  /** Undefined when the broker cannot be asked: nothing has begun, so nothing has failed. */
  private async claim(claim: OnceClaim): Promise<ClaimAnswer | undefined> {
    try {
      const [answer] = await this.parts.records.claim([claim]);
      return answer;
    } catch (error) {
      this.report('claim', error);
      return undefined;
    }
  }

  /** A record that stays is in the way until its claim has run out; of its own message never. */
  private async release(claim: OnceClaim): Promise<void> {
    await this.parts.records.release(claim).catch((error: unknown) => this.report('release', error));
  }

  /**
   * What was done must be said before it is acked: asked again while the delivery is ours. After a handler's time was up
   * it is still said, once: its retry then finds it done.
   */
  private async complete(claim: OnceClaim, outcome: unknown, { signal, attempt }: MqContext): Promise<void> {
    const { records, clock, events } = this.parts;
    const result = encodeResult(outcome);
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(MAX_RETRY_MS, delayMs * 2)) {
      try {
        if ((await records.complete(claim, result)) === 'completed') return;
        const { topic, group, messageId } = claim;
        return events.emit('claim-lost', { topic, group, messageId, attempt });
      } catch (error) {
        this.report('complete', error);
        if (signal.aborted || !(error instanceof MqError && error.retriable)) return;
        await clock.wait(delayMs, signal);
      }
    }
  }

  private report(what: string, error: unknown): void {
    this.parts.events.emit('loop-error', { loop: `${what} of idempotent ${this.parts.name}`, error });
  }
}

function isNotDone(outcome: unknown): boolean {
  return outcome instanceof RetryLater || outcome instanceof Rejection || outcome instanceof HandBack;
}
