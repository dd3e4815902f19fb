// Many delayed messages, each of which is asked to be cancelled at about the instant at which it becomes due.
import type { Mq, SendRequest } from '@millrace/core';
import { Prng } from '../fault/prng.js';

export interface RaceResult {
  /** By idempotency key. */
  readonly answers: ReadonlyMap<string, string>;
}

export interface RaceOptions {
  readonly topic: string;
  readonly messages: number;
  /** Races that run at the same time. */
  readonly atOnce: number;
  readonly seed: number;
  /** Before the cancels of each wave of `atOnce` are asked. */
  readonly beforeCancels?: () => void;
}

/** Due this long after its send, in ms: a slow machine has stored a whole wave by then. */
const DUE_MS = [100, 220] as const;
/** How far from the due instant it is asked, in ms; it is on its way for a while too. */
const EARLY_MS = 12;
const LATE_MS = 8;

/** Sends through one Mq, cancels through another. Rejects with whatever a send or cancel rejects with. */
export async function race(
  sender: Mq,
  canceller: Mq,
  { topic, messages, atOnce, seed, beforeCancels }: RaceOptions,
): Promise<RaceResult> {
  const prng = new Prng(seed);
  // Connects, and knows the topic: the first cancels must not all be late.
  await canceller.producer.cancel(topic, { idempotencyKey: 'nothing' });
  const answers = new Map<string, string>();
  for (let first = 0; first < messages; first += atOnce) {
    const keys = Array.from({ length: Math.min(atOnce, messages - first) }, (_, index) => `key-${first + index}`);
    const delays = keys.map(() => prng.int(DUE_MS[0], DUE_MS[1]));
    const requests = keys.map((idempotencyKey, index): SendRequest => ({
      destination: topic,
      body: idempotencyKey,
      options: { idempotencyKey, delay: delays[index] },
    }));
    const sentAt = performance.now();
    for (const result of await sender.producer.sendAll(requests)) if (!result.ok) throw result.error;
    beforeCancels?.();
    await Promise.all(
      keys.map(async (idempotencyKey, index) => {
        const askAt = sentAt + delays[index]! + prng.int(-EARLY_MS, LATE_MS);
        await new Promise((resolve) => setTimeout(resolve, Math.max(askAt - performance.now(), 0)));
        answers.set(idempotencyKey, await canceller.producer.cancel(topic, { idempotencyKey }));
      }),
    );
  }
  return { answers };
}
