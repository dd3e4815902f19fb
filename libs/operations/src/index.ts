// Long operations on dead letters: redrive, purge, export, in the background and over restarts.
export { MqOperationsModule, type MqOperationsModuleAsyncOptions } from './module/mq-operations.module.js';
export type { MqOperationsExtras } from './module/mq-operations.module-definition.js';

export { Operations, type OperationsParts } from './operations.js';
export { OPERATIONS_DEFAULTS, type OperationsConnection, type OperationsOptions } from './operations-options.js';
export type { ExportOperationOptions, OperationOptions, RedriveOperationOptions } from './operation-options.js';
export { OperationHandle } from './operation-handle.js';
export type {
  OperationCounts,
  OperationKind,
  OperationProgress,
  OperationRecord,
  OperationState,
} from './operation.js';

export type { DeadLetterSink } from './export/export-sink.js';
export { deadLetterLines, type ExportedDeadLetter } from './export/exported-dead-letter.js';
