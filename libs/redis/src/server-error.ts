// What an error of a call means: certainly not done, maybe done, or worth waiting for.
import { BrokerRefusedError } from '@millrace/core';

/** Replies of a server that cannot do it now but may soon: nothing was done. */
const TRANSIENT = /^(LOADING|READONLY|MASTERDOWN|NOREPLICAS|MISCONF|CLUSTERDOWN|TRYAGAIN|BUSY|UNBLOCKED)\b/;

export type ErrorKind =
  /** The server answered that it did nothing; it may later. */
  | 'transient'
  /** The connection broke: it may have been done. */
  | 'unknown'
  /** The server refused for good. */
  | 'refused';

export function kindOf(error: unknown): ErrorKind {
  const { name, message } = error as Error;
  if (name !== 'ReplyError') return 'unknown';
  // A script's error may be wrapped: "ERR ... script: ..., on @user_script:1: -READONLY ..."
  if (TRANSIENT.test(message) || /-(LOADING|READONLY|MASTERDOWN|NOREPLICAS|MISCONF)\b/.test(message))
    return 'transient';
  return 'refused';
}

/** The node that was asked does not hold the key (any more): nothing was done there, another client has to be got. */
export const isElsewhere = (error: unknown): boolean =>
  error instanceof Error && /^(MOVED|ASK|READONLY|CLUSTERDOWN) ?/.test(error.message);

export const isNoGroup = (error: unknown): boolean =>
  error instanceof Error && /NOGROUP|UNBLOCKED|WRONGTYPE.*stream/.test(error.message);

/** The typed error of a call that was certainly not done. */
export function refusal(error: unknown): BrokerRefusedError {
  const { message } = error as Error;
  if (/\bOOM\b/.test(message))
    return new BrokerRefusedError(`the server is out of memory: ${message}`, 'MQ_OUT_OF_MEMORY', error);
  if (kindOf(error) === 'transient')
    return new BrokerRefusedError(`the server cannot serve: ${message}`, 'MQ_UNAVAILABLE', error);
  return new BrokerRefusedError(`the server refused: ${message}`, 'MQ_REFUSED', error);
}
