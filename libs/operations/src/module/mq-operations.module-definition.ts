// forRoot and forRootAsync, and what they provide.
import type { Mq } from '@millrace/core';
import { getMqOptionsToken, getMqToken, type MqModuleOptions } from '@millrace/nestjs';
import { ConfigurableModuleBuilder, Logger, type DynamicModule } from '@nestjs/common';
import { Operations } from '../operations.js';
import type { OperationsConnection, OperationsOptions } from '../operations-options.js';
import { OperationsLifecycle } from './operations-lifecycle.js';

/** What decides which providers exist; stands beside the factory in `forRootAsync`. */
export interface MqOperationsExtras {
  /** Name of the `MqModule` connection whose dead letters are operated on. @default the unnamed one */
  mq?: string;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<OperationsOptions>({ moduleName: 'MqOperations' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createOperationsOptions')
    .setExtras<MqOperationsExtras>({ mq: undefined }, withProviders)
    .build();

function withProviders(definition: DynamicModule, { mq }: MqOperationsExtras): DynamicModule {
  return {
    ...definition,
    global: true,
    providers: [
      ...(definition.providers ?? []),
      {
        provide: Operations,
        useFactory: operationsOf,
        inject: [MODULE_OPTIONS_TOKEN, getMqToken(mq), getMqOptionsToken(mq)],
      },
      OperationsLifecycle,
    ],
    exports: [Operations],
  };
}

/** What is not said is as the connection has it: operations of another namespace would never meet. */
function operationsOf(options: OperationsOptions, mq: Mq, mqOptions: MqModuleOptions): Operations {
  const { connection = mqOptions.connection as OperationsConnection, namespace = mqOptions.namespace } = options;
  const logger = new Logger('MqOperations');
  const onError = (error: unknown): void => logger.error(String(error));
  return new Operations({ ...options, connection, namespace }, { admin: mq.admin, onError });
}
