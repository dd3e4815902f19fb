// Every error Millrace throws. A class exists only where a caller would branch on it; the finer distinction
// is the stable `code`. `retriable` says whether the same call can succeed later without being changed.

export interface MqErrorDetails {
  /** Stable, documented, never reused for another meaning. */
  code: string;
  /** Whether the same call may succeed later. */
  retriable?: boolean;
  cause?: unknown;
}

/** Base of all Millrace errors. */
export class MqError extends Error {
  readonly code: string;
  readonly retriable: boolean;

  constructor(message: string, details: MqErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code;
    this.retriable = details.retriable ?? false;
  }
}

/** A bad option, name, expression or size. Thrown before anything is stored. Code `MQ_INVALID_OPTION`. */
export class InvalidOptionError extends MqError {
  /** @param option path of the option, for example `send.delay` @param given what was passed */
  constructor(
    readonly option: string,
    readonly given: unknown,
    problem: string,
  ) {
    super(`${option}: ${problem} (given: ${describe(given)})`, { code: 'MQ_INVALID_OPTION' });
  }
}

type TopicProblem =
  | 'MQ_TOPIC_CONFLICT'
  | 'MQ_TOPIC_NOT_FOUND'
  | 'MQ_SCHEMA_VERSION'
  | 'MQ_GROUP_NOT_FOUND'
  | 'MQ_REPLAY_TRIMMED'
  | 'MQ_SCHEDULE_NOT_FOUND';

/**
 * Settings in code and settings stored for the topic or group differ. Code `MQ_TOPIC_CONFLICT`; or the topic does
 * not exist and may not be created: `MQ_TOPIC_NOT_FOUND`; or its keys were written by a newer Millrace:
 * `MQ_SCHEMA_VERSION`; or a group that an operator names is not declared: `MQ_GROUP_NOT_FOUND`; or a replay is to begin
 * where messages were trimmed away: `MQ_REPLAY_TRIMMED`; or there is no recurring message of this name:
 * `MQ_SCHEDULE_NOT_FOUND`.
 */
export class TopicError extends MqError {
  constructor(
    readonly topic: string,
    message: string,
    code: TopicProblem = 'MQ_TOPIC_CONFLICT',
  ) {
    super(message, { code });
  }
}

/** The idempotency key is known with another body. Nothing was stored. Code `MQ_IDEMPOTENCY_CONFLICT`. */
export class IdempotencyConflictError extends MqError {
  constructor(
    readonly topic: string,
    readonly key: string,
    /** Id of the message that holds the key. */
    readonly messageId: string,
  ) {
    super(
      `idempotency key ${JSON.stringify(key)} of topic ${topic} belongs to message ${messageId} with another body`,
      {
        code: 'MQ_IDEMPOTENCY_CONFLICT',
      },
    );
  }
}

/**
 * The fate of a call is not known at its deadline: it may have been executed. Code `MQ_SEND_UNKNOWN`.
 * `retry()` replays the same frozen call and never doubles a message. The call lives for 2 × the send deadline, and for
 * 60 s at least; after that it is not executed any more, and `retry()` rejects with this error again. Who must be able
 * to ask later uses an idempotency key.
 */
export class SendUnknownError extends MqError {
  constructor(
    readonly messageId: string,
    /** Replays the frozen call and gives its answer. */
    readonly retry: () => Promise<unknown>,
    cause?: unknown,
  ) {
    super(`whether message ${messageId} was stored is not known`, { code: 'MQ_SEND_UNKNOWN', retriable: true, cause });
  }
}

/**
 * The broker answered and has certainly not done it. Codes: `MQ_OUT_OF_MEMORY`, `MQ_UNAVAILABLE` (loading, read only,
 * too few replicas, disk error, cluster down), `MQ_TOPIC_FULL` (the topic's `maxLength` is reached), `MQ_DURABILITY` (the durability
 * asked for cannot be proven on this server: docs/durability.md), `MQ_REFUSED`
 * (anything else the server refused).
 */
export class BrokerRefusedError extends MqError {
  constructor(
    message: string,
    code: 'MQ_OUT_OF_MEMORY' | 'MQ_UNAVAILABLE' | 'MQ_TOPIC_FULL' | 'MQ_DURABILITY' | 'MQ_REFUSED',
    cause?: unknown,
  ) {
    super(message, { code, retriable: code !== 'MQ_REFUSED' && code !== 'MQ_DURABILITY', cause });
  }
}

/** The producer, consumer or broker was closed. Nothing was stored. Code `MQ_CLOSED`. */
export class ClosedError extends MqError {
  constructor(what: string) {
    super(`${what} is closed`, { code: 'MQ_CLOSED' });
  }
}

/** A stored entry cannot be read as a message. It becomes a dead letter with its raw bytes. Code `MQ_UNDECODABLE`. */
export class UndecodableMessageError extends MqError {
  constructor(problem: string, cause?: unknown) {
    super(`message cannot be decoded: ${problem}`, { code: 'MQ_UNDECODABLE', cause });
  }
}

/** The handler ran longer than its `timeout`; the reason of its abort signal. Code `MQ_HANDLER_TIMEOUT`. */
export class HandlerTimeoutError extends MqError {
  constructor(readonly timeoutMs: number) {
    super(`handler did not finish within ${timeoutMs} ms`, { code: 'MQ_HANDLER_TIMEOUT', retriable: true });
  }
}

/** The delivery is no longer ours; the reason of the handler's abort signal. Code `MQ_LEASE_LOST`. */
export class LeaseLostError extends MqError {
  constructor(readonly messageId: string) {
    super(`the lease of message ${messageId} was lost: another consumer may handle it now`, { code: 'MQ_LEASE_LOST' });
  }
}

/** Short, safe rendering of what was given: bounded, never a whole payload. */
function describe(given: unknown): string {
  if (typeof given === 'function') return `function ${given.name || 'anonymous'}`;
  if (typeof given === 'bigint' || typeof given === 'symbol' || given === undefined) return String(given);
  if (typeof given === 'number') return String(given);
  let text: string;
  try {
    text = JSON.stringify(given) ?? typeof given;
  } catch {
    text = Object.prototype.toString.call(given);
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
