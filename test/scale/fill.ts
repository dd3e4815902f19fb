// Fills a topic with messages, as a producer does, and says which ids they got.
import { prepareMessage, type Broker, type OutgoingMessage, type SendOptions } from '@millrace/core';

const BATCH = 2_000;
export const BODY_BYTES = 200;

/** As JSON exactly `BODY_BYTES` long, so that memory can be told from payload. */
export function bodyOf(n: number): { n: number; fill: string } {
  const digits = String(n).length;
  return { n, fill: 'x'.repeat(BODY_BYTES - '{"n":,"fill":""}'.length - digits) };
}

/** The number of a stored body. */
export function numberOf(body: Buffer): number {
  return Number.parseInt(body.toString('latin1', '{"n":'.length, 16), 10);
}

export interface FillOptions {
  readonly broker: Broker;
  readonly topic: string;
  readonly count: number;
  readonly optionsOf: (n: number) => SendOptions;
  /** Present instant of the producer, Unix ms. @default Date.now */
  readonly now?: () => number;
}

/** Message ids by number. Throws when one was refused, or was a duplicate. */
export async function fill({ broker, topic, count, optionsOf, now = Date.now }: FillOptions): Promise<string[]> {
  const ids: string[] = [];
  for (let first = 0; first < count; first += BATCH) {
    const batch: OutgoingMessage[] = [];
    for (let n = first; n < Math.min(first + BATCH, count); n++)
      batch.push(prepareMessage(topic, bodyOf(n), optionsOf(n), { now: now() }));
    for (const result of await broker.send(batch)) {
      if (!result.ok) throw result.error;
      if (result.receipt.duplicate) throw new Error(`message ${ids.length} is taken for a duplicate`);
      ids.push(result.receipt.messageId);
    }
  }
  return ids;
}
