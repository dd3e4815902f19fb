// The producer of a member: sends at a steady rate, and writes down what it asked for and what it was told.
import { setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { ClosedError, type SendOptions, type SendReceipt, SendUnknownError } from '@millrace/core';
import { POISON } from '../history/fault-event.js';
import type { HistoryFile } from '../history/history-file.js';
import { Prng } from '../prng.js';
import type { SendingConfig } from './member-config.js';
import { makePayload, POISON_KINDS, sumOf, type Payload } from './payload.js';

const TICK_MS = 5;
/** How long the answer of a call is kept at least. */
const SHORTEST_LIFE_MS = 60_000;
const REPLAY_PAUSE_MS = 200;

/** How a message leaves: the producer's `send`, or a transaction with the outbox. */
export type Send = (topic: string, body: Payload, options: SendOptions) => Promise<SendReceipt | undefined>;

export interface Scheduling {
  cancel(topic: string, ref: { messageId: string }): Promise<string>;
  reschedule(topic: string, ref: { messageId: string }, due: { delay: number }): Promise<string>;
}

export class SendingMember {
  /** How often a send, or the last replay of one, ended with which code. */
  readonly errors: Record<string, number> = {};
  /** Calls that have no answer yet. */
  inFlight = 0;
  private isStopped = false;
  private next: number;
  private readonly prng: Prng;

  constructor(
    private readonly config: SendingConfig,
    private readonly history: HistoryFile,
    private readonly send: Send,
    private readonly scheduling: Scheduling,
  ) {
    this.next = config.first ?? 0;
    this.prng = new Prng(config.seed, `producer ${config.producer}`);
  }

  /** Until it is stopped or has sent everything; then waits for the answers. */
  async run(): Promise<void> {
    const { perSecond, maxInFlight = 2000 } = this.config;
    let credit = 0;
    for (let before = performance.now(); !this.isStopped && !this.isComplete;) {
      await wait(TICK_MS);
      const now = performance.now();
      // A process that was frozen must not make up for it with one burst.
      credit = Math.min(credit + ((now - before) * perSecond) / 1000, perSecond / 5 + 1);
      before = now;
      for (; credit >= 1 && this.inFlight < maxInFlight && !this.isStopped && !this.isComplete; credit--) this.one();
    }
    await this.settled();
  }

  stop(): void {
    this.isStopped = true;
  }

  async settled(): Promise<void> {
    while (this.inFlight > 0) await wait(TICK_MS);
  }

  private get isComplete(): boolean {
    return this.next >= (this.config.first ?? 0) + (this.config.total ?? Infinity);
  }

  private one(): void {
    this.inFlight++;
    // Nothing in here throws but by mistake of this program, and that must be seen.
    void this.sendOne(this.next++).finally(() => this.inFlight--);
  }

  private async sendOne(n: number): Promise<void> {
    const { producer, keys, topic, isShared, bodyBytes = 40, poisonEvery = 0 } = this.config;
    const { prng } = this;
    const key = keys > 0 ? producer * 1000 + 1 + prng.int(0, keys - 1) : 0;
    const poison = poisonEvery > 0 && n % poisonEvery === 0 ? POISON_KINDS[(n / poisonEvery) % 3] : undefined;
    const body = makePayload(producer, n, key, prng.int(0, bodyBytes) * (isShared ? 0 : 1), poison);
    const options: SendOptions = {};
    if (key > 0) options.orderingKey = String(key);
    if (isShared) options.idempotencyKey = `shared-${n}`;
    if (this.config.durability !== undefined) options.durability = this.config.durability;
    const delayMs = prng.chance(this.config.delayShare ?? 0) ? prng.int(1, this.config.maxDelayMs ?? 1000) : 0;
    // Both ways to say it; a relative one counts from when the broker stores it, so from now at the earliest.
    const due = delayMs > 0 ? Date.now() + delayMs : 0;
    if (delayMs > 0 && prng.chance(0.5)) options.deliverAt = new Date(due);
    else if (delayMs > 0) options.delay = delayMs;
    const fate = prng.next();
    const named = { producer, n, key };
    this.history.note('attempt', { ...named, sum: sumOf(body), wall: due, flags: poison ? POISON : 0 });
    const receipt = await this.answered(named, () => this.send(topic, body, options));
    if (receipt && delayMs > 0) await this.changeMind(named, receipt.messageId, fate, delayMs);
  }

  private async answered(
    named: { producer: number; n: number; key: number },
    ask: () => Promise<SendReceipt | undefined>,
  ): Promise<SendReceipt | undefined> {
    const { history } = this;
    const isKnown = (receipt: SendReceipt | undefined): SendReceipt | undefined => {
      history.note('ok', { ...named, id: receipt ? crc32(receipt.messageId) : 0 });
      return receipt;
    };
    // Later than this the answer is no longer kept: it stays unknown.
    const giveUpAt = performance.now() + Math.max(2 * this.config.deadlineMs, SHORTEST_LIFE_MS);
    try {
      return isKnown(await ask());
    } catch (first) {
      history.note(first instanceof SendUnknownError ? 'info' : 'fail', named);
      if (!(first instanceof SendUnknownError)) return this.ended(first);
      let error: SendUnknownError = first;
      while (performance.now() < giveUpAt) {
        await wait(REPLAY_PAUSE_MS);
        try {
          return isKnown((await error.retry()) as SendReceipt);
        } catch (again) {
          if (!(again instanceof SendUnknownError)) return this.ended(again);
          error = again;
        }
      }
      return this.ended(error);
    }
  }

  private ended(error: unknown): undefined {
    const code = (error as { code?: string }).code ?? String(error);
    this.errors[code] = (this.errors[code] ?? 0) + 1;
  }

  /** Cancels or moves a scheduled message, at a moment when it may just be firing. */
  private async changeMind(
    named: { producer: number; n: number },
    messageId: string,
    fate: number,
    delayMs: number,
  ): Promise<void> {
    const { cancelShare = 0, rescheduleShare = 0, topic } = this.config;
    if (fate > cancelShare + rescheduleShare) return;
    // Half of them in the last moment.
    await wait(Math.max(0, (fate * 1000) % 2 < 1 ? delayMs - 5 : (fate * 7919) % delayMs));
    try {
      if (fate > cancelShare) return void (await this.scheduling.reschedule(topic, { messageId }, { delay: delayMs }));
      this.history.note('cancel-asked', named);
      const answer = await this.scheduling.cancel(topic, { messageId });
      this.history.note(answer === 'cancelled' ? 'cancelled' : 'cancel-refused', named);
    } catch (error) {
      // Its fate is not known; asked it was.
      if (error instanceof ClosedError) throw error;
    }
  }
}
