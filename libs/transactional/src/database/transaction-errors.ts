// The two ways a transaction is not what the caller believes it is.
import { MqError } from '@millrace/core';

/** Code `MQ_NO_TRANSACTION`. Nothing was stored. */
export function noTransactionError(what: string): MqError {
  return new MqError(
    `${what}: the outbox and the inbox write only inside a transaction. Use outbox.withTransaction, or pass { tx }`,
    {
      code: 'MQ_NO_TRANSACTION',
    },
  );
}

/** Code `MQ_ROLLED_BACK`. Nothing of the transaction was stored. */
export function rolledBackError(): MqError {
  return new MqError(
    'the transaction was rolled back instead of committed: one of its statements had failed and the error was swallowed',
    { code: 'MQ_ROLLED_BACK' },
  );
}
