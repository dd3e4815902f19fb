// The words and the rules of Millrace. Node built-ins only: no Redis, no Nest.
export { BackgroundLoop, type LoopOptions, type OnLoopError } from './background-loop.js';
export type { LoopHealth } from './loop-health.js';
export type { BroadcastEntry, BroadcastGap, BroadcastPage, BroadcastPosition } from './broadcast/broadcast-page.js';
export {
  KEEP_POSITIONS_MS,
  type BroadcastReader,
  type BroadcastReadOptions,
  type BroadcastSpec,
} from './broadcast/broadcast-reader.js';
export type {
  Broker,
  BrokerListener,
  BrokerPorts,
  BrokerWarning,
  PromoteResult,
  QueueLeases,
  ReceiveOptions,
} from './broker.js';
export type { BrokerAdmin, GroupStats, TopicStats } from './broker-admin.js';
export { systemClock, type Clock, type LatestEnd } from './clock.js';
export type { GroupAdmin } from './control/group-admin.js';
export type { GroupControl } from './control/group-control.js';
export type { BookedStarts, HeldSlots } from './control/group-shares.js';
export {
  MEMBER_LIVES_MS,
  TAGS_LIVE_MS,
  type GroupMember,
  type GroupState,
  type PauseInForce,
} from './control/group-state.js';
export type { IdleAnswer, IdleGroup } from './control/idle-group.js';
export type { CheckedRate, RateLimit } from './control/group-limits.js';
export { checkLimits, type GroupLimits, type StoredLimits } from './control/stored-limits.js';
export { checkPause, type Pause, type PauseOptions } from './control/pause.js';
export { type TagSet } from './control/tag-union.js';
export { toMs, type Duration } from './duration.js';
export {
  BrokerRefusedError,
  ClosedError,
  HandlerTimeoutError,
  IdempotencyConflictError,
  InvalidOptionError,
  LeaseLostError,
  MqError,
  SendUnknownError,
  TopicError,
  UndecodableMessageError,
  type MqErrorDetails,
} from './errors.js';
export { MqEvents, type MqEventMap, type MqEventName } from './events.js';
export { Mq, MQ_DEFAULTS, type ListenExtra, type MqOptions } from './mq.js';
export { checkInteger, checkOptions } from './option-check.js';
export {
  checkGroupName,
  checkTopicName,
  TOPIC_DEFAULTS,
  storedSettings,
  topicSpec,
  type TopicOptions,
  type TopicSetting,
  type TopicSettings,
  type TopicSpec,
} from './topic.js';
export { checkReplay, REPLAY_DEFAULTS, type ReplayOptions, type ReplayReport } from './replay/replay-options.js';
export { replayGap, type OldEnd } from './replay/replay-gap.js';
export { shareOf, topicFull } from './topic-bound.js';

export type { Schedule, ScheduleDetails } from './schedule/schedule.js';
export {
  SCHEDULE_DEFAULTS,
  checkScheduleName,
  scheduleSpec,
  type ScheduleOptions,
} from './schedule/schedule-options.js';
export {
  DROP_WATCHED_MS,
  MOST_SCHEDULES,
  type DroppedTick,
  type SchedulePause,
  type SchedulesRead,
  type ScheduleStore,
  type StoredSchedule,
  type TickName,
} from './schedule/schedule-store.js';
export { Schedules } from './schedule/schedules.js';
export { tickRule, type StoredRule, type TickRule } from './schedule/tick-rule.js';

export {
  FIRST_DELIVERY,
  type DeadLetterReason,
  type Delivery,
  type DoneBefore,
  type EditRecord,
  type FailureRecord,
  type ParkReason,
  type QueueLease,
  type RetryState,
  type Settlement,
  type SettleResult,
} from './consumer/delivery.js';
export {
  BROADCAST_DEFAULTS,
  LISTENER_DEFAULTS,
  listenerSpec,
  type ListenMode,
  ORDERED_DEFAULTS,
  type ListenerOptions,
  type ListenerSpec,
} from './consumer/listener-options.js';
export type { Handler, Middleware, MqContext } from './consumer/mq-context.js';
export {
  deadLetter,
  HandBack,
  handBack,
  InvalidMessageError,
  Rejection,
  RetryLater,
  retryLater,
} from './consumer/outcome.js';
export type { ConsumeMode, GroupSpec, Subscription } from './consumer/subscription.js';

export { searchedOf, type DeadLetter, type DeadLetterSummary } from './dead-letter/dead-letter.js';
export type {
  DeadLetterAdmin,
  DeadLetterCount,
  DeadLetterPage,
  DeadLetterQuery,
  RedriveOptions,
} from './dead-letter/dead-letter-admin.js';
export type { DeadLetterFeed, UntoldDeadLetter } from './dead-letter/dead-letter-feed.js';
export {
  checkDeadLetterFilter,
  errorOf,
  matchesFilter,
  type DeadLetterFilter,
} from './dead-letter/dead-letter-filter.js';
export { countPages } from './dead-letter/dead-letter-count.js';
export { deadLetterCursor, type DeadLetterPosition } from './dead-letter/dead-letter-cursor.js';
export { deadLetterQuery, type DeadLetterQuerySpec } from './dead-letter/dead-letter-query.js';
export {
  DEAD_LETTER_LISTENER_DEFAULTS,
  type DeadLetterContext,
  type DeadLetterHandler,
  type DeadLetterListenerOptions,
} from './dead-letter/dead-letter-listener.js';
export { editedLetter, type DeadLetterChange } from './dead-letter/edit-dead-letter.js';

export {
  DEFAULT_DELAY_LEVELS,
  delayLevels,
  delayOfLevel,
  ROCKETMQ_DELAY_LEVELS,
  type DelayLevels,
} from './delay/delay-levels.js';

export { IDEMPOTENT_DEFAULTS, type IdempotentOptions, type IdempotentSpec } from './idempotency/idempotent-option.js';
export type { ClaimAnswer, OnceClaim, OnceRecords } from './idempotency/once-records.js';
export { halfError, halfPending } from './half/half-errors.js';
export {
  HALF_OUTCOME_MS,
  type HalfAnswer,
  type HalfCheck,
  type HalfChecks,
  type HalfRef,
  type ParkedHalf,
  type TransactionDecision,
} from './half/half-message.js';
export type { HalfMessages, HalfOwner, TakeChecksOptions } from './half/half-messages.js';
export type { HalfAdmin, ParkedHalfMessage } from './half/half-admin.js';
export type { LocalTransaction, LocalTransactionContext, TransactionReceipt } from './half/local-transaction.js';
export {
  TRANSACTION_LISTENER_DEFAULTS,
  type TransactionCheck,
  type TransactionCheckContext,
  type TransactionListenerOptions,
} from './half/transaction-listener.js';
export type { TransactionOptions } from './half/transaction-options.js';
export { dueInstants, type DueHistogram, type DueQuery } from './delay/due-histogram.js';
export type { ScheduledAdmin, ScheduledPage, ScheduledQuery } from './delay/scheduled-admin.js';
export { checkScheduledFilter, matchesScheduled, type ScheduledFilter } from './delay/scheduled-filter.js';
export type { ScheduledDetails, ScheduledMessage } from './delay/scheduled-message.js';
export { countScheduledPages, scheduledCursor, scheduledQuery } from './delay/scheduled-query.js';

export { parseDestination, type Destination } from './message/destination.js';
export {
  bytesOf,
  decodeMessage,
  encodeBody,
  ENVELOPE_VERSION,
  MAX_BODY_BYTES,
  storedMessage,
  type Meta,
} from './message/envelope.js';
export { newMessageId } from './message/message-id.js';
export type { Headers, Message, MessageIdentity, OutgoingMessage, StoredMessage } from './message/message.js';
export { bucketOf, idRecord, keyRecord, queueOf, routeOf, type Route } from './message/routing.js';
export { checkTag, overlaps, parseTags, type TagExpression } from './message/tag-expression.js';

export { compose } from './middleware/middleware.js';

export type { ParkedKey, ParkedKeyAdmin, ResumeKeyResult, SkipKeyResult } from './ordering/parked-key.js';

export { prepareMessage, type SendSettings } from './producer/prepare-message.js';
export { Producer } from './producer/producer.js';
export { checkRef, refOf } from './producer/message-ref.js';
export type { CancelResult, MessageRef, RescheduleResult, SendReceipt, SendResult } from './producer/receipt.js';
export { durabilityLevel, unprovable, type Durability, type DurabilityLevel } from './producer/durability.js';
export { checkSendOptions, type SendOptions, type SendRequest } from './producer/send-options.js';

export { backoffOf, type Backoff, type BackoffFunction } from './retry/backoff.js';
export type { ErrorClass } from './retry/error-class.js';
