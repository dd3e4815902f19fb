// What applications import.
import { InvalidOptionError, type TopicOptions } from '@millrace/core';
import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { DEFAULT_CONNECTION } from './connection/mq-connection.js';
import { MqFeature } from './connection/mq-feature.js';
import { ConfigurableModuleClass, type ASYNC_OPTIONS_TYPE } from './mq.module-definition.js';

/** What `MqModule.forRootAsync` takes. */
export type MqModuleAsyncOptions = typeof ASYNC_OPTIONS_TYPE;

/** One dynamic module per `forFeature`; it only carries the feature to the root module of its connection. */
@Module({})
class MqFeatureModule {}

/**
 * One connection: its producer, listeners and upkeep. `forRoot(options)` or `forRootAsync({ imports, inject,
 * useFactory | useClass | useExisting })`, once per connection; every one but the default is given a `name`. Nothing is
 * opened before the application starts or sends. Bad options end the start with InvalidOptionError.
 *
 * Call `app.enableShutdownHooks()`, so that running listeners are waited for when the process is told to end.
 */
@Module({ imports: [DiscoveryModule] })
export class MqModule extends ConfigurableModuleClass {
  /**
   * Declares topics whose settings differ from the defaults, in the module that uses them. Not needed for others. A topic
   * declared twice must have the same settings. Throws InvalidOptionError. @param name of the connection
   */
  static forFeature(topics: readonly TopicOptions[], name: string = DEFAULT_CONNECTION): DynamicModule {
    if (!Array.isArray(topics)) throw new InvalidOptionError('MqModule.forFeature', topics, 'takes a list of topics');
    return {
      module: MqFeatureModule,
      providers: [{ provide: MqFeature, useFactory: () => new MqFeature(topics, name) }],
    };
  }
}
