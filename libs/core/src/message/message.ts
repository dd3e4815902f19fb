// What a message is, on its way in, in storage and on its way out.
import type { DurabilityLevel } from '../producer/durability.js';

/** String headers of a message; at most 128 entries and 32 KiB together. */
export type Headers = Readonly<Record<string, string>>;

/** A message as a listener sees it. Immutable. */
export interface Message<T = unknown> {
  /** One stable id for life: the same in the receipt, every delivery, the dead letter and after a redrive. */
  readonly messageId: string;
  readonly topic: string;
  readonly tag?: string;
  /** Business keys, for searching. */
  readonly keys: readonly string[];
  readonly orderingKey?: string;
  readonly idempotencyKey?: string;
  readonly headers: Headers;
  /** When the producer made it, by the producer's clock. */
  readonly bornAt: Date;
  /** The message's own limit of attempts; wins over the listener's. */
  readonly maxAttempts?: number;
  /** How long it may wait for a handler once it is ready, in ms; wins over the topic's. */
  readonly ttlMs?: number;
  readonly body: T;
}

/**
 * What is stored of a message (docs/wire-format.md). `meta` is a JSON object with the envelope
 * version and everything optional; `body` is encoded as `meta` says.
 */
export interface StoredMessage {
  readonly messageId: string;
  /** '' when the message has none. */
  readonly tag: string;
  /** '' when the message has none. */
  readonly orderingKey: string;
  readonly meta: string | Buffer;
  readonly body: Buffer;
}

/** A message that the producer has checked, identified and encoded. */
export interface OutgoingMessage extends Omit<StoredMessage, 'body'> {
  readonly topic: string;
  /** Text stands for its bytes in UTF-8: a client that writes text need not make them. */
  readonly body: Buffer | string;
  /** Decides shard and queue: ordering key, else idempotency key, else message id. */
  readonly routingKey: string;
  /** Present when a record must outlive the call: an idempotency key or an explicit message id. */
  readonly identity?: MessageIdentity;
  /** Present when the message is to wait. A delay counts from the broker's clock. */
  readonly due?: { readonly delayMs: number } | { readonly atMs: number };
  /** What must be proven before the send is acknowledged; absent: the broker's reply is enough. */
  readonly durability?: DurabilityLevel;
}

/** Business identity of a message: what the dedup record is kept under, and what must be equal in a second send. */
export interface MessageIdentity {
  /** Name of the record inside the shard; see `identityOf`. */
  readonly record: string;
  /** What the user gave, for error messages. */
  readonly key: string;
  /** Digest of tag and body: a second send with another digest is a conflict. */
  readonly digest: string;
}
