// Names of our tables. They are written into SQL text, so the prefix is the one input that must never be free text.
import { InvalidOptionError } from '@millrace/core';

export const DEFAULT_TABLE_PREFIX = 'mq_';

export interface TableNames {
  readonly prefix: string;
  /** Messages on their way to the broker. */
  readonly outbox: string;
  /** Cancellations on their way to the broker. */
  readonly cancel: string;
  /** What each consumer group has handled. */
  readonly inbox: string;
  /** Rows that are only locked; not on PostgreSQL, which has locks of its own. */
  readonly lock: string;
  /** Version of these tables. */
  readonly schema: string;
  /** Notification channel of the outbox. */
  readonly channel: string;
}

/** 30 characters leave room for the longest index name within PostgreSQL's 63. Throws InvalidOptionError. */
export function tableNames(prefix: unknown = DEFAULT_TABLE_PREFIX): TableNames {
  if (typeof prefix !== 'string' || !/^[a-z_][a-z0-9_]{0,29}$/.test(prefix))
    throw new InvalidOptionError(
      'transactional.tablePrefix',
      prefix,
      'must be 1 to 30 of the characters a-z 0-9 _, not starting with a digit',
    );
  return {
    prefix,
    outbox: `${prefix}outbox`,
    cancel: `${prefix}outbox_cancel`,
    inbox: `${prefix}inbox`,
    lock: `${prefix}outbox_lock`,
    schema: `${prefix}schema`,
    channel: `${prefix}outbox`,
  };
}
