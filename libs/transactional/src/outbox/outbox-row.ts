// A message as a row: prepared and encoded at outbox.send, decoded again by the relay.
import { crc32 } from 'node:zlib';
import {
  bytesOf,
  checkOptions,
  decodeMessage,
  InvalidOptionError,
  prepareMessage,
  type SendOptions,
  type SendRequest,
  type SendSettings,
} from '@millrace/core';

/**
 * How many partitions the ordering keys of a table fall into; each is relayed by one process at a time. Stored with
 * each row, so it never changes: the same key under two numbers would have two relays at once.
 */
export const PARTITIONS = 32;

/** What is inserted. */
export interface NewRow {
  readonly id: string;
  readonly topic: string;
  readonly tag: string | null;
  readonly orderingKey: string | null;
  /** What the message is about, for readers of the table: never empty. */
  readonly aggregateId: string;
  readonly idempotencyKey: string | null;
  /** Null when the message has no ordering key. */
  readonly partition: number | null;
  readonly meta: string;
  readonly body: Buffer;
  readonly delayMs: number | null;
  readonly deliverAtMs: number | null;
}

/** What the relay reads. */
export interface OutboxRow {
  /** Decimal; a bigint of the table. */
  readonly seq: string;
  readonly id: string;
  readonly topic: string;
  readonly tag: string | null;
  readonly orderingKey: string | null;
  readonly meta: string;
  readonly body: Buffer;
  /** What is left of the delay by the database's clock, in ms. */
  readonly delayLeftMs: number | null;
  readonly deliverAtMs: number | null;
  readonly attempts: number;
}

/** Checks and encodes; refuses what the broker would refuse. Throws InvalidOptionError. */
export function newRow(destination: string, body: unknown, options: SendOptions, settings: SendSettings): NewRow {
  if (options.durability !== undefined)
    throw new InvalidOptionError(
      'send.durability',
      options.durability,
      'is not for single outbox messages: the relay sends with the durability of its connection',
    );
  // As it was given: who reads the table without us must be able to. The relay's send compresses.
  const message = prepareMessage(destination, body, options, { ...settings, compress: false });
  const due = message.due;
  const id = storableText('send.messageId', message.messageId);
  const orderingKey = message.orderingKey === '' ? null : storableText('send.orderingKey', message.orderingKey);
  return {
    id,
    topic: message.topic,
    tag: message.tag === '' ? null : storableText('send.tag', message.tag),
    orderingKey,
    aggregateId: orderingKey ?? firstStorable(options.keys) ?? id,
    idempotencyKey:
      options.idempotencyKey === undefined ? null : storableText('send.idempotencyKey', options.idempotencyKey),
    partition: orderingKey === null ? null : partitionOf(message.topic, orderingKey),
    meta: message.meta.toString(),
    body: bytesOf(message.body),
    delayMs: due && 'delayMs' in due ? due.delayMs : null,
    deliverAtMs: due && 'atMs' in due ? due.atMs : null,
  };
}

/** One statement carries them all, with bodies as hexadecimal text: more would be too much for it. */
const MOST = { rows: 10_000, bytes: 64 * 1024 * 1024 } as const;

/** `newRow` for each request of a list. Throws InvalidOptionError. */
export function newRows(requests: readonly SendRequest[], settings: SendSettings): NewRow[] {
  if (!Array.isArray(requests) || requests.length > MOST.rows)
    throw new InvalidOptionError('sendAll', requests, `must be a list of at most ${MOST.rows} messages`);
  const rows = requests.map((request: SendRequest) => {
    checkOptions('sendAll', request, ['destination', 'body', 'options']);
    return newRow(request.destination, request.body, request.options ?? {}, settings);
  });
  const bytes = rows.reduce((sum, { body }) => sum + body.length, 0);
  if (bytes > MOST.bytes)
    throw new InvalidOptionError('sendAll', `${bytes} bytes`, `bodies must not exceed ${MOST.bytes} bytes together`);
  return rows;
}

/** Order holds inside a topic, so the topic is part of the key. */
export function partitionOf(topic: string, orderingKey: string): number {
  return crc32(`${topic}\0${orderingKey}`) % PARTITIONS;
}

/**
 * The send that the row stands for. The row's id is the message id from the first try, so that a second relay of the
 * same row is recognised. Throws UndecodableMessageError, for example for a row written by a newer version.
 */
export function sendRequest(row: OutboxRow): SendRequest {
  const { id, topic, tag, orderingKey, meta, body } = row;
  const message = decodeMessage(topic, { messageId: id, tag: tag ?? '', orderingKey: orderingKey ?? '', meta, body });
  return {
    destination: topic,
    body: message.body,
    options: {
      messageId: id,
      tag: message.tag,
      keys: message.keys,
      headers: message.headers,
      orderingKey: message.orderingKey,
      idempotencyKey: message.idempotencyKey,
      maxAttempts: message.maxAttempts,
      ttl: message.ttlMs,
      ...dueOf(row),
    },
  };
}

/** An instant stays an instant; a delay is what is left of it, so that time spent in the table counts. */
function dueOf({ delayLeftMs, deliverAtMs }: OutboxRow): Pick<SendRequest['options'] & {}, 'delay' | 'deliverAt'> {
  if (deliverAtMs !== null) return { deliverAt: new Date(deliverAtMs) };
  return delayLeftMs === null ? {} : { delay: delayLeftMs };
}

/** Keys may hold NUL: they are written into the envelope, which is JSON. */
function firstStorable([key]: readonly string[] = []): string | undefined {
  return key?.includes('\0') ? undefined : key;
}

/**
 * SQL text cannot hold NUL: the statement would fail and take the caller's transaction with it. Throws
 * InvalidOptionError.
 */
export function storableText(option: string, text: unknown): string {
  if (typeof text !== 'string' || text === '') throw new InvalidOptionError(option, text, 'must be a text, not empty');
  if (text.includes('\0')) throw new InvalidOptionError(option, text, 'must not contain the NUL character');
  return text;
}
