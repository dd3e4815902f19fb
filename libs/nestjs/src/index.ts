// Millrace for NestJS: module, decorators and lifecycle, and what listeners need of the core.
export { MqModule, type MqModuleAsyncOptions } from './mq.module.js';
export type { MqModuleExtras } from './mq.module-definition.js';
export type { MqEnhancerOptions, MqModuleOptions, MqOptionsFactory } from './mq-module-options.js';

export {
  getMqAdminToken,
  getMqHealthToken,
  getMqOptionsToken,
  getMqProducerToken,
  getMqRegistrarToken,
  getMqToken,
} from './connection/connection-tokens.js';
export { InjectMq, InjectMqAdmin, InjectMqProducer } from './connection/inject.decorator.js';
export type { MqStartupOptions } from './connection/startup-options.js';
export { MqRegistrar } from './connection/mq-registrar.js';
export { MqHealth, type MqHealthResult } from './connection/mq.health.js';

export { MqProducer, type MqSendRequest } from './producer/mq-producer.js';
export type { MqBody, MqTopicOf, MqTopics } from './producer/mq-topics.js';

export { MqListener, type MqListenerExtras, type MqListenerOptions } from './listener/mq-listener.decorator.js';
export { MqCtx, MqHeader, MqHeaders, MqMessage, MqPayload, type MqPipe } from './listener/listener-params.decorator.js';
export { UseMqMiddleware, type MqListenerMiddleware } from './listener/use-mq-middleware.decorator.js';
export {
  MqDeadLetterListener,
  type MqDeadLetterDecorator,
  type MqDeadLetterListenerOptions,
} from './dead-letter/mq-dead-letter-listener.decorator.js';
export {
  MqTransactionListener,
  type MqTransactionDecorator,
  type MqTransactionListenerOptions,
} from './transaction/mq-transaction-listener.decorator.js';
export { OnMqEvent, type MqEventDecorator, type OnMqEventOptions } from './events/on-mq-event.decorator.js';
export { getMqContext, isMqContext, type MqCallArguments } from './execution-context.js';
export { MqCron, type MqCronOptions } from './schedule/mq-cron.decorator.js';
export type { StandardIssue, StandardResult, StandardSchemaV1 } from './pipeline/standard-schema.js';

export {
  BrokerRefusedError,
  ClosedError,
  deadLetter,
  handBack,
  HandlerTimeoutError,
  IdempotencyConflictError,
  InvalidMessageError,
  InvalidOptionError,
  LeaseLostError,
  Mq,
  MqError,
  retryLater,
  SendUnknownError,
  TopicError,
  type Backoff,
  type BrokerAdmin as MqAdmin,
  type CancelResult,
  type DeadLetter,
  type DeadLetterContext,
  type Duration,
  type FailureRecord,
  type Headers,
  type ListenerOptions,
  type LocalTransaction,
  type LocalTransactionContext,
  type Message,
  type MessageRef,
  type Middleware,
  type MqContext,
  type MqEventMap,
  type MqEventName,
  type ParkedHalfMessage,
  type RescheduleResult,
  type Schedule,
  type ScheduleDetails,
  type ScheduleOptions,
  type Schedules as MqSchedules,
  type SendOptions,
  type SendReceipt,
  type SendResult,
  type TopicOptions,
  type TransactionCheckContext,
  type TransactionDecision,
  type TransactionOptions,
  type TransactionReceipt,
} from '@millrace/core';
