// forRoot and forRootAsync, and what they provide.
import { delayLevels, type Mq } from '@millrace/core';
import { getMqOptionsToken, getMqToken, type MqModuleOptions } from '@millrace/nestjs';
import { ConfigurableModuleBuilder, Logger, type DynamicModule } from '@nestjs/common';
import { clsTransactions } from '../database/cls-transactions.js';
import type { ParkedMessage } from '../relay/relay-pass.js';
import { getInboxToken, getOutboxAdminToken, getOutboxToken } from './outbox-tokens.js';
import { TransactionalLifecycle } from './transactional-lifecycle.js';
import { transactionalSpec, type TransactionalOptions } from './transactional-options.js';
import { TransactionalRuntime } from './transactional-runtime.js';

/** What decides which providers exist; stands beside the factory in `forRootAsync`. */
export interface TransactionalExtras {
  /** Name of the `MqModule` connection that messages are sent to. @default the unnamed one */
  connection?: string;
  /**
   * Name of this module's outbox and inbox, for an application with several databases: `@InjectOutbox('stock')`,
   * `@UseInbox('stock')`. @default none: `Outbox` and `OutboxAdmin` are injected by their classes
   */
  name?: string;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<TransactionalOptions>({ moduleName: 'Transactional' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createTransactionalOptions')
    .setExtras<TransactionalExtras>({ connection: undefined, name: undefined }, withProviders)
    .build();

function withProviders(definition: DynamicModule, { connection, name }: TransactionalExtras): DynamicModule {
  const tokens = { outbox: getOutboxToken(name), inbox: getInboxToken(name), admin: getOutboxAdminToken(name) };
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
      { provide: tokens.outbox, useFactory: (of: TransactionalRuntime) => of.outbox, inject: [TransactionalRuntime] },
      { provide: tokens.inbox, useFactory: (of: TransactionalRuntime) => of.inbox, inject: [TransactionalRuntime] },
      { provide: tokens.admin, useFactory: (of: TransactionalRuntime) => of.admin, inject: [TransactionalRuntime] },
      TransactionalLifecycle,
    ],
    exports: Object.values(tokens),
  };
}

async function runtimeOf(
  options: TransactionalOptions,
  mq: Mq,
  mqOptions: MqModuleOptions,
): Promise<TransactionalRuntime> {
  const spec = transactionalSpec(options);
  return new TransactionalRuntime({
    spec,
    transactions: spec.clsConnection === false ? undefined : await clsTransactions(spec.clsConnection),
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
