// What an error of a call means: certainly not done, maybe done, or worth waiting for.
import { BrokerRefusedError } from '@millrace/core';

/** Replies of a server that cannot do it now but may soon: nothing was done. */
const TRANSIENT = /^(LOADING|READONLY|MASTERDOWN|NOREPLICAS|MISCONF|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|BUSY|UNBLOCKED)\b/;
/** ioredis has gone to and fro between nodes of a Cluster; what the last of them said is what counts. */
const REDIRECTIONS = /^Too many Cluster redirections\. Last error: ReplyError: /;

export type ErrorKind =
  /** The server answered that it did nothing; it may later. */
  | 'transient'
  /** The connection broke: it may have been done. */
  | 'unknown'
  /** The server refused for good. */
  | 'refused';

export function kindOf(error: unknown): ErrorKind {
  const { name } = error as Error;
  const message = lastSaid(error as Error);
  if (name !== 'ReplyError' && message === (error as Error).message) return 'unknown';
  // A script's error may be wrapped: "ERR ... script: ..., on @user_script:1: -READONLY ..."
  if (TRANSIENT.test(message) || /-(LOADING|READONLY|MASTERDOWN|NOREPLICAS|MISCONF)\b/.test(message))
    return 'transient';
  return 'refused';
}

const lastSaid = ({ message }: Error): string => message.replace(REDIRECTIONS, '');

/** The node that was asked does not hold the key (any more): nothing was done there, another client has to be got. */
export const isElsewhere = (error: unknown): boolean =>
  error instanceof Error && /^(MOVED|ASK|READONLY|CLUSTERDOWN|UNBLOCKED force)\b/.test(error.message);

/** Some keys of the call are on their way to another node: the same client can be asked again soon. */
export const isMoving = (error: unknown): boolean => error instanceof Error && error.message.startsWith('TRYAGAIN');

export const isNoGroup = (error: unknown): boolean =>
  error instanceof Error && /NOGROUP|UNBLOCKED the stream|WRONGTYPE.*stream/.test(error.message);

/** The typed error of a call that was certainly not done. */
export function refusal(error: unknown): BrokerRefusedError {
  const { message } = error as Error;
  if (/\bOOM\b/.test(message))
    return new BrokerRefusedError(`the server is out of memory: ${message}`, 'MQ_OUT_OF_MEMORY', error);
  if (kindOf(error) === 'transient')
    return new BrokerRefusedError(`the server cannot serve: ${message}`, 'MQ_UNAVAILABLE', error);
  return new BrokerRefusedError(`the server refused: ${message}`, 'MQ_REFUSED', error);
}
