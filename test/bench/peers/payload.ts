// Contents of a given size: text that compresses as texts do, and random bytes that do not compress at all.
import { randomBytes } from 'node:crypto';

export type PayloadKind = 'text' | 'random';

export interface Payload {
  /** What Millrace is given: a string, written as JSON, or a Buffer, stored as it is. */
  readonly body: string | Buffer;
  /** The same bytes for a peer that takes bytes only. */
  readonly bytes: Buffer;
}

const WORDS = (
  'order customer the of invoice shipped and to address payment item quantity with warehouse pending total for ' +
  'carrier delivered refund on requested by approved is label tracking parcel returned a discount in currency'
).split(' ');

/** @param size in bytes, of the stored content before compression */
export function payload(kind: PayloadKind, size: number): Payload {
  if (kind === 'random') {
    const bytes = randomBytes(size);
    return { body: bytes, bytes };
  }
  // As JSON the text has two quotes around it.
  const body = text(size - 2);
  return { body, bytes: Buffer.from(JSON.stringify(body)) };
}

/** Words in an order that repeats late enough for a compressor to work for it; numbers between them, as in real orders. */
function text(length: number): string {
  let [result, state] = ['', 1];
  while (result.length < length) {
    state = (state * 48_271) % 2_147_483_647;
    result += state % 7 === 0 ? `${state % 100_000} ` : `${WORDS[state % WORDS.length]} `;
  }
  return result.slice(0, length);
}
