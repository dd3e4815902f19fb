// The wire format (docs/wire-format.md): how a message becomes stored fields and back. Version N reads N - 1.
import { inflateRawSync } from 'node:zlib';
import { InvalidOptionError, UndecodableMessageError } from '../errors.js';
import { fitsIn } from './fits-in.js';
import type { Headers, Message, OutgoingMessage, StoredMessage } from './message.js';

export const ENVELOPE_VERSION = 1;
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** The `meta` field: one JSON object, short names, absent when default. */
export interface Meta {
  /** Envelope version. */
  v: number;
  /** Born at, Unix ms by the producer's clock. */
  at: number;
  /** Body encoding: JSON when absent, `b` = raw bytes. */
  c?: 'b';
  /** Compression of the body: none when absent, `d` = raw deflate. */
  z?: 'd';
  /** Keys. */
  k?: string[];
  /** Idempotency key. */
  i?: string;
  /** Headers. */
  h?: Headers;
  /** Max attempts. */
  x?: number;
  /** Time to live from when it is ready, in ms. */
  t?: number;
}

/** Any JSON value, as text, or bytes. `undefined`, functions and over-long bodies are refused. */
export function encodeBody(body: unknown): { encoded: Buffer | string; raw: boolean } {
  const raw = body instanceof Uint8Array;
  const encoded = raw ? bytesOf(body) : textOf(body);
  if (!fitsIn(MAX_BODY_BYTES, encoded)) {
    const given = `${Buffer.byteLength(encoded)} bytes`;
    throw new InvalidOptionError('body', given, `must not exceed ${MAX_BODY_BYTES} bytes`);
  }
  return { encoded, raw };
}

function textOf(body: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(body);
  } catch (cause) {
    throw new InvalidOptionError('body', String(cause), 'cannot be written as JSON');
  }
  if (text === undefined)
    throw new InvalidOptionError('body', body, 'must be a JSON value or a Buffer; null is allowed');
  return text;
}

/** What is stored of a body: text in UTF-8, bytes as they are. */
export function bytesOf(body: string | Uint8Array): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** What a broker stores of a message that is sent. */
export function storedMessage(message: OutgoingMessage): StoredMessage {
  return { ...message, body: bytesOf(message.body) };
}

/** Reads stored fields as a message. Throws UndecodableMessageError, never anything else. */
export function decodeMessage(topic: string, stored: StoredMessage): Message {
  if (stored.messageId === '') throw new UndecodableMessageError('it has no message id');
  try {
    const text = stored.meta.toString();
    const meta = plainMeta(text) ?? (JSON.parse(text) as Meta);
    if (typeof meta !== 'object' || meta === null || !Number.isInteger(meta.v))
      throw new UndecodableMessageError('its meta field is not an envelope');
    if (meta.v > ENVELOPE_VERSION) throw new UndecodableMessageError(`envelope version ${meta.v} is newer than ours`);
    return {
      messageId: stored.messageId,
      topic,
      tag: stored.tag === '' ? undefined : stored.tag,
      keys: meta.k ?? [],
      orderingKey: stored.orderingKey === '' ? undefined : stored.orderingKey,
      idempotencyKey: meta.i,
      headers: meta.h ?? {},
      bornAt: new Date(meta.at),
      maxAttempts: meta.x,
      ttlMs: meta.t,
      body: decodeBody(stored.body, meta),
    };
  } catch (error) {
    if (error instanceof UndecodableMessageError) throw error;
    throw new UndecodableMessageError((error as Error).message, error);
  }
}

const PLAIN = '{"v":1,"at":';
/** Unix ms have so many digits from 2001 to 2286. */
const DIGITS = 13;

/** What most messages have, an instant and nothing else, without the parser. Undefined: to be parsed, or refused by that. */
function plainMeta(text: string): Meta | undefined {
  const end = PLAIN.length + DIGITS;
  if (text.length !== end + 1 || !text.startsWith(PLAIN) || !text.endsWith('}')) return undefined;
  let at = 0;
  for (let index = PLAIN.length; index < end; index++) {
    const digit = text.charCodeAt(index) - 48;
    // No number begins with 0.
    if (!(digit >= 0 && digit <= 9) || (at === 0 && digit === 0)) return undefined;
    at = at * 10 + digit;
  }
  return { v: 1, at };
}

function decodeBody(bytes: Buffer, meta: Meta): unknown {
  if (meta.z !== undefined && meta.z !== 'd')
    throw new UndecodableMessageError(`unknown compression '${String(meta.z)}'`);
  if (meta.c !== undefined && meta.c !== 'b') throw new UndecodableMessageError(`unknown encoding '${String(meta.c)}'`);
  // The bound keeps a forged entry from inflating to gigabytes.
  const plain = meta.z === 'd' ? inflateRawSync(bytes, { maxOutputLength: MAX_BODY_BYTES }) : bytes;
  return meta.c === 'b' ? plain : (JSON.parse(plain.toString()) as unknown);
}
