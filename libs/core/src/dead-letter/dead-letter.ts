// A message that a group could not handle, and what one looks at before deciding what becomes of it.
import type { DeadLetterReason, RetryState } from '../consumer/delivery.js';
import type { StoredMessage } from '../message/message.js';

/** A dead letter without its body: what a list shows. */
export interface DeadLetterSummary {
  /**
   * Names the dead letter within its group: the message id, unless the group holds another dead letter of that id. Every
   * verb takes it; where a list of `messageIds` is asked for, names are meant too.
   */
  readonly name: string;
  readonly messageId: string;
  readonly topic: string;
  readonly group: string;
  readonly reason: DeadLetterReason;
  /** What the handler or the framework said of it. */
  readonly text?: string;
  /** By the broker's clock. */
  readonly deadAt: Date;
  /** Attempts, generation, failure story and edits. */
  readonly state: RetryState;
  readonly tag?: string;
  readonly orderingKey?: string;
  /** Business keys; none when the message cannot be decoded. */
  readonly keys: readonly string[];
  readonly idempotencyKey?: string;
}

/** A message that a group could not handle, with its failure story. */
export interface DeadLetter extends DeadLetterSummary {
  readonly message: StoredMessage;
}

type Searched = Pick<DeadLetterSummary, 'tag' | 'orderingKey' | 'keys' | 'idempotencyKey'>;

/** What a list shows and searches of a stored message, as far as its envelope can be read. Never throws. */
export function searchedOf({ tag, orderingKey, meta }: Pick<StoredMessage, 'tag' | 'orderingKey' | 'meta'>): Searched {
  return {
    tag: tag === '' ? undefined : tag,
    orderingKey: orderingKey === '' ? undefined : orderingKey,
    ...keysOf(meta),
  };
}

function keysOf(meta: string | Buffer): Pick<Searched, 'keys' | 'idempotencyKey'> {
  try {
    const { k, i } = JSON.parse(meta.toString()) as { k?: unknown; i?: unknown };
    const keys = Array.isArray(k) ? k.filter((key): key is string => typeof key === 'string') : [];
    return { keys, idempotencyKey: typeof i === 'string' ? i : undefined };
  } catch {
    return { keys: [] };
  }
}
