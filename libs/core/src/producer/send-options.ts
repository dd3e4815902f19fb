// Options of a send: documentation, defaults and validation in one place.
import { dueOf } from '../delay/due-time.js';
import { checkTtl, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { parseDestination, type Destination } from '../message/destination.js';
import { encodeBody } from '../message/envelope.js';
import { fitsIn } from '../message/fits-in.js';
import { checkTag } from '../message/tag-expression.js';
import { durabilityLevel, type Durability } from './durability.js';
import { checkInteger, checkOptions } from '../option-check.js';

/** Of `delay`, `deliverAt` and `delayLevel` at most one may be given. */
export interface SendOptions {
  /** Label that groups may filter by; also as `topic:tag` in the destination, not both. */
  tag?: string;
  /** Business keys, searchable; at most 64 of 1 to 255 characters. @default [] */
  keys?: readonly string[];
  /**
   * Identity of the intent, 1 to 255 bytes of UTF-8: within the topic's window a second send stores nothing and
   * returns the first receipt.
   */
  idempotencyKey?: string;
  /** Messages with the same key keep their order, and share a queue. 1 to 255 bytes of UTF-8. */
  orderingKey?: string;
  /** At most 128 entries, 32 KiB. @default {} */
  headers?: Readonly<Record<string, string>>;
  /** Own id, 1 to 255 bytes of UTF-8. Counts as an idempotency key: sending it twice stores it once. @default a UUIDv7 */
  messageId?: string;
  /** Ready after this time, from when the broker stores it. 0 = now. */
  delay?: Duration;
  /** Ready at this instant; a past one means now. */
  deliverAt?: Date;
  /** RocketMQ delay level: 1 … 18 for 1s 5s 10s 30s 1m … 10m 20m 30m 1h 2h; 0 or less: none; above: the highest. */
  delayLevel?: number;
  /** Limit of attempts for this message, 1 to 10000; wins over the listener's. */
  maxAttempts?: number;
  /**
   * How safe the message is before the send is acknowledged: 'memory', 'fsync' (on the server's disk), or
   * `{ replicas: n, fsync? }` (on n replicas too). What the server cannot prove is refused (`MQ_DURABILITY`); what it has
   * not proven in time rejects with SendUnknownError, whose `retry()` proves it anew. See docs/durability.md.
   * @default the `durability` of `MqOptions`
   */
  durability?: Durability;
  /**
   * How long it may wait for a handler, at least 1 ms, counted from when it is ready: a delayed message from its due
   * time, a redriven one from its redrive. Then it is a dead letter with reason `expired`, or dropped, as each listener
   * says. Retries do not prolong it. @default the topic's ttl
   */
  ttl?: Duration;
}

/** One element of `sendAll`. */
export interface SendRequest<T = unknown> {
  /** `topic` or `topic:tag`. */
  destination: string;
  body: T;
  options?: SendOptions;
}

export const SEND_LIMITS = {
  keys: 64,
  keyLength: 255,
  nameBytes: 255,
  headers: 128,
  headerBytes: 32 * 1024,
  maxAttempts: 10_000,
} as const;

const KNOWN: readonly (keyof SendOptions)[] = [
  'tag',
  'keys',
  'idempotencyKey',
  'orderingKey',
  'headers',
  'messageId',
  'delay',
  'deliverAt',
  'delayLevel',
  'maxAttempts',
  'durability',
  'ttl',
];
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN);

/**
 * Checks everything that can be checked without a broker: for callers that store a send before it is made (outbox).
 * Throws InvalidOptionError.
 */
export function checkSendOptions(destination: string, body: unknown, options?: SendOptions): void {
  const parsed = parseDestination(destination);
  if (options !== undefined) checkValues(parsed, options);
  // Only the topic knows its farthest delay; that rule is left to the send.
  if (options !== undefined) dueOf(options, { maxDelayMs: Infinity, now: 0 });
  encodeBody(body);
}

/** The checks of every send; on the hot path, so it allocates nothing while all is well. Throws InvalidOptionError. */
export function checkValues(destination: Destination, options: SendOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) checkOptions('send', options, KNOWN);
  for (const name in options) if (!KNOWN_SET.has(name)) checkOptions('send', options, KNOWN);
  const { tag, idempotencyKey, orderingKey, messageId, keys, headers, maxAttempts, ttl } = options;
  if (tag !== undefined) checkTagOption(tag, destination);
  if (idempotencyKey !== undefined) checkName('send.idempotencyKey', idempotencyKey);
  if (orderingKey !== undefined) checkName('send.orderingKey', orderingKey);
  if (options.durability !== undefined) durabilityLevel('send.durability', options.durability);
  if (messageId !== undefined) checkMessageId(messageId);
  if (keys !== undefined) checkKeys(keys);
  if (headers !== undefined) checkHeaders(headers);
  if (maxAttempts !== undefined) checkInteger('send.maxAttempts', maxAttempts, 1, SEND_LIMITS.maxAttempts);
  if (ttl !== undefined) checkTtl('send.ttl', ttl);
}

/** A non-empty text that fits into a key. Throws InvalidOptionError. */
export function checkName(option: string, value: unknown): void {
  const { nameBytes } = SEND_LIMITS;
  const fits = typeof value === 'string' && value.length > 0 && fitsIn(nameBytes, value);
  if (!fits) throw new InvalidOptionError(option, value, `must be a string of 1 to ${nameBytes} bytes of UTF-8`);
}

/** Stored messages are told apart line by line. */
function checkMessageId(messageId: unknown): void {
  checkName('send.messageId', messageId);
  if ((messageId as string).includes('\n'))
    throw new InvalidOptionError('send.messageId', messageId, 'must not contain a line feed');
}

function checkTagOption(tag: unknown, destination: Destination): void {
  checkTag(tag, 'send.tag');
  if (destination.tag === '') return;
  const problem = `the destination '${destination.topic}:${destination.tag}' has a tag already; give one of them`;
  throw new InvalidOptionError('send.tag', tag, problem);
}

function checkKeys(keys: unknown): void {
  if (!Array.isArray(keys) || keys.length > SEND_LIMITS.keys)
    throw new InvalidOptionError('send.keys', keys, `must be a list of at most ${SEND_LIMITS.keys} strings`);
  for (const [index, key] of keys.entries()) {
    if (typeof key === 'string' && key.length > 0 && key.length <= SEND_LIMITS.keyLength) continue;
    throw new InvalidOptionError(
      `send.keys[${index}]`,
      key,
      `must be a string of 1 to ${SEND_LIMITS.keyLength} characters`,
    );
  }
}

/** Throws InvalidOptionError. @param option how the error names them */
export function checkHeaders(headers: unknown, option = 'send.headers'): void {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
    throw new InvalidOptionError(option, headers, 'must be an object of strings');
  const entries = Object.entries(headers);
  if (entries.length > SEND_LIMITS.headers)
    throw new InvalidOptionError(option, `${entries.length} entries`, `at most ${SEND_LIMITS.headers} entries`);
  let bytes = 0;
  for (const [name, value] of entries) {
    if (typeof value !== 'string') throw new InvalidOptionError(`${option}.${name}`, value, 'must be a string');
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > SEND_LIMITS.headerBytes)
    throw new InvalidOptionError(option, `${bytes} bytes`, `must not exceed ${SEND_LIMITS.headerBytes} bytes`);
}
