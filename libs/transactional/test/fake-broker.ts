// A producer that stores in memory with the broker's dedup rules, and can be told to refuse, to lose its answer or to
// wait.
import { MqError, type CancelResult, type MessageRef, type SendRequest, type SendResult } from '@millrace/core';
import type { MessageSender } from '../src/relay/send-rows.js';

/** A point at which the broker stands still: `reached` resolves when a call gets there, `release` lets it go on. */
export interface Hold {
  readonly reached: Promise<void>;
  release(): void;
}

export class FakeBroker implements MessageSender {
  /** What was stored, in order; duplicates are not. */
  readonly stored: SendRequest[] = [];
  /** Every request of every call, duplicates and refusals included. */
  readonly asked: SendRequest[] = [];
  readonly cancelled: { topic: string; ref: MessageRef }[] = [];
  /** All calls in order, as `send <id>` and `cancel <id or key>`. */
  readonly calls: string[] = [];
  /** Why a request is refused; undefined stores it. */
  refuse: (request: SendRequest) => unknown = () => undefined;
  /** Thrown after the next batch was stored: its answer is lost. */
  loseNextAnswer: unknown;

  private readonly byIdentity = new Map<string, string>();
  private holding: { arrive: () => void; released: Promise<void> } | undefined;
  private waiters: { count: number; resolve: () => void }[] = [];

  async sendAll(requests: readonly SendRequest[]): Promise<SendResult[]> {
    await this.passHold();
    const results = requests.map((request) => this.store(request));
    this.waiters = this.waiters.filter(({ count, resolve }) => {
      if (this.stored.length >= count) resolve();
      return this.stored.length < count;
    });
    const lost = this.loseNextAnswer;
    this.loseNextAnswer = undefined;
    if (lost !== undefined) throw lost;
    return results;
  }

  async cancel(topic: string, ref: MessageRef): Promise<CancelResult> {
    this.cancelled.push({ topic, ref });
    this.calls.push(`cancel ${'messageId' in ref ? ref.messageId : ref.idempotencyKey}`);
    const identity = identityOf(ref);
    this.byIdentity.delete(`${topic} ${identity}`);
    const index = this.stored.findIndex(
      ({ destination, options }) =>
        destination === topic &&
        ('messageId' in ref ? options?.messageId === ref.messageId : identityOf(options!) === identity),
    );
    if (index < 0) return 'not-found';
    this.stored.splice(index, 1);
    return 'cancelled';
  }

  /** The next `sendAll` stands still before it stores anything. */
  hold(): Hold {
    let release!: () => void;
    let arrive!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => (arrive = resolve));
    this.holding = { arrive, released };
    return { reached, release };
  }

  whenStored(count: number): Promise<void> {
    if (this.stored.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ count, resolve }));
  }

  bodies(): unknown[] {
    return this.stored.map(({ body }) => body);
  }

  private async passHold(): Promise<void> {
    const holding = this.holding;
    this.holding = undefined;
    holding?.arrive();
    await holding?.released;
  }

  private store(request: SendRequest): SendResult {
    const { destination, options } = request;
    const messageId = options!.messageId!;
    this.asked.push(request);
    this.calls.push(`send ${messageId}`);
    const problem = this.refuse(request);
    if (problem !== undefined) return { ok: false, error: problem as MqError };
    const identity = `${destination} ${identityOf(options!)}`;
    const known = this.byIdentity.get(identity);
    if (known === undefined) {
      this.byIdentity.set(identity, messageId);
      this.stored.push(request);
    }
    const duplicate = known !== undefined;
    return {
      ok: true,
      receipt: { messageId: known ?? messageId, topic: destination, queue: 0, duplicate, state: 'accepted' },
    };
  }
}

/** The broker's rule: the idempotency key in the scope of the ordering key, else the message id. */
function identityOf(of: { idempotencyKey?: string; orderingKey?: string; messageId?: string }): string {
  return of.idempotencyKey === undefined ? `id ${of.messageId}` : `key ${of.orderingKey ?? ''} ${of.idempotencyKey}`;
}
