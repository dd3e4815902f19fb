// forRoot and forRootAsync, and what they provide.
import { delayLevels, type Mq } from '@millrace/core';
import { getMqOptionsToken, getMqToken, type MqModuleOptions } from '@millrace/nestjs';
import { ConfigurableModuleBuilder, Logger, type DynamicModule } from '@nestjs/common';
import { InboxMiddleware } from '../inbox/inbox-middleware.js';
import { Outbox } from '../outbox/outbox.js';
import { OutboxAdmin } from '../outbox/outbox-admin.js';
import type { ParkedMessage } from '../relay/relay-pass.js';
import { TransactionalLifecycle } from './transactional-lifecycle.js';
import { transactionalSpec, type TransactionalOptions } from './transactional-options.js';
import { TransactionalRuntime } from './transactional-runtime.js';

/** What decides which providers exist; stands beside the factory in `forRootAsync`. */
export interface TransactionalExtras {
  /** Name of the `MqModule` connection that messages are sent to. @default the unnamed one */
  connection?: string;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<TransactionalOptions>({ moduleName: 'Transactional' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createTransactionalOptions')
    .setExtras<TransactionalExtras>({ connection: undefined }, withProviders)
    .build();

function withProviders(definition: DynamicModule, { connection }: TransactionalExtras): DynamicModule {
  return {
    ...definition,
    global: true,
    providers: [
      ...(definition.providers ?? []),
      {
        provide: TransactionalRuntime,
        useFactory: runtimeOf,
        inject: [MODULE_OPTIONS_TOKEN, getMqToken(connection), getMqOptionsToken(connection)],
      },
      { provide: Outbox, useFactory: (of: TransactionalRuntime) => of.outbox, inject: [TransactionalRuntime] },
      { provide: InboxMiddleware, useFactory: (of: TransactionalRuntime) => of.inbox, inject: [TransactionalRuntime] },
      { provide: OutboxAdmin, useFactory: (of: TransactionalRuntime) => of.admin, inject: [TransactionalRuntime] },
      TransactionalLifecycle,
    ],
    exports: [Outbox, InboxMiddleware, OutboxAdmin],
  };
}

function runtimeOf(options: TransactionalOptions, mq: Mq, mqOptions: MqModuleOptions): TransactionalRuntime {
  return new TransactionalRuntime({
    spec: transactionalSpec(options),
    sender: mq.producer,
    events: mq.events,
    settings: mqOptions.delayLevels && { delayLevels: delayLevels(mqOptions.delayLevels) },
    onParked: logParked,
  });
}

/** A parked message waits for a person, so a person must hear of it. The payload never reaches a log. */
function logParked(messages: readonly ParkedMessage[]): void {
  const logger = new Logger('Outbox');
  for (const { messageId, topic, error } of messages)
    logger.error(`message ${messageId} for ${topic} was refused too often and is parked: ${String(error)}`);
}
