// forRoot and forRootAsync, and what they provide for their connection.
import type { Mq } from '@millrace/core';
import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  type FactoryProvider,
  type InjectionToken,
  type Provider,
} from '@nestjs/common';
import {
  getMqAdminToken,
  getMqHealthToken,
  getMqOptionsToken,
  getMqProducerToken,
  getMqRegistrarToken,
  getMqToken,
} from './connection/connection-tokens.js';
import { createMq, DEFAULT_CONNECTION, MqConnection } from './connection/mq-connection.js';
import { MqRegistrar } from './connection/mq-registrar.js';
import { MqHealth } from './connection/mq.health.js';
import { StartUp } from './connection/start-up.js';
import { DeadLetterExplorer } from './dead-letter/dead-letter-explorer.js';
import { EventSubscriptions } from './events/event-subscriptions.js';
import { ListenerExplorer } from './listener/listener-explorer.js';
import { MethodDiscovery } from './method-discovery.js';
import { MqLifecycle } from './mq-lifecycle.js';
import type { MqModuleOptions } from './mq-module-options.js';
import { MqProducer } from './producer/mq-producer.js';
import { CronExplorer } from './schedule/cron-explorer.js';
import { TransactionExplorer } from './transaction/transaction-explorer.js';

/** What decides which providers exist; stands beside the factory in `forRootAsync`. */
export interface MqModuleExtras {
  /** Name of the connection; the default connection needs none. */
  name?: string;
  /** Whether every module can inject what this one provides, without importing it. @default true */
  isGlobal?: boolean;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<MqModuleOptions>({ moduleName: 'Mq' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createMqOptions')
    .setExtras<MqModuleExtras>({ isGlobal: true, name: undefined }, withConnection)
    .build();

function withConnection(
  definition: DynamicModule,
  { name = DEFAULT_CONNECTION, isGlobal }: MqModuleExtras,
): DynamicModule {
  const [options, mq, registrar] = [getMqOptionsToken(name), getMqToken(name), getMqRegistrarToken(name)];
  // What is exported goes by the tokens of its connection alone: with a class as a second token, `app.get(MqHealth)` would
  // find the health of whichever connection came last.
  const exported = [
    // The options have a token of their own, so that a test can override those of one connection.
    provide(options, [MODULE_OPTIONS_TOKEN], (given: unknown) => given),
    provide(mq, [options], (given: unknown) => createMq(name, given)),
    provide(getMqProducerToken(name), [mq], (of: Mq) => new MqProducer(of.producer)),
    provide(getMqAdminToken(name), [mq], (of: Mq) => of.admin),
    provide(registrar, [MqConnection, ListenerExplorer, DeadLetterExplorer], construct(MqRegistrar)),
    provide(getMqHealthToken(name), [MqConnection, registrar, StartUp], construct(MqHealth)),
  ];
  const internal: Provider[] = [
    provide(MqConnection, [options, mq], (given: MqModuleOptions, of: Mq) => new MqConnection(name, given, of)),
    provide(StartUp, [MqConnection], construct(StartUp)),
    provide(
      MqLifecycle,
      [MqConnection, MethodDiscovery, EventSubscriptions, registrar, CronExplorer, TransactionExplorer, StartUp],
      construct(MqLifecycle),
    ),
    MethodDiscovery,
    ListenerExplorer,
    DeadLetterExplorer,
    CronExplorer,
    TransactionExplorer,
    EventSubscriptions,
  ];
  return {
    ...definition,
    global: isGlobal,
    providers: [...(definition.providers ?? []), ...exported, ...internal],
    exports: exported.map(({ provide: token }) => token),
  };
}

function provide(
  token: InjectionToken,
  inject: InjectionToken[],
  useFactory: (...args: never[]) => unknown,
): FactoryProvider {
  return { provide: token, inject, useFactory };
}

function construct<Args extends unknown[], T>(type: new (...args: Args) => T): (...args: Args) => T {
  return (...args) => new type(...args);
}
