// When one connection declares, consumes, drains and closes, in the application's life.
//
//   onModuleInit: topics of features, events -> onApplicationBootstrap: declare, consume (see start-up.ts)
//   beforeApplicationShutdown: stop fetching, drain (producers work) -> onApplicationShutdown: close
import { InvalidOptionError } from '@millrace/core';
import {
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { MqConnection } from './connection/mq-connection.js';
import { MqFeature } from './connection/mq-feature.js';
import { MqRegistrar } from './connection/mq-registrar.js';
import { StartUp } from './connection/start-up.js';
import { deadLetterListenersOf } from './dead-letter/mq-dead-letter-listener.decorator.js';
import { EventSubscriptions } from './events/event-subscriptions.js';
import { eventsOf } from './events/on-mq-event.decorator.js';
import { listenersOf } from './listener/mq-listener.decorator.js';
import { MethodDiscovery } from './method-discovery.js';
import { CronExplorer } from './schedule/cron-explorer.js';
import { cronsOf } from './schedule/mq-cron.decorator.js';
import { transactionListenersOf } from './transaction/mq-transaction-listener.decorator.js';
import type { TransactionExplorer } from './transaction/transaction-explorer.js';
import { MODULE_DEFAULTS } from './mq-module-options.js';

export class MqLifecycle
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    private readonly connection: MqConnection,
    private readonly discovery: MethodDiscovery,
    private readonly events: EventSubscriptions,
    private readonly registrar: MqRegistrar,
    private readonly crons: CronExplorer,
    private readonly transactions: TransactionExplorer,
    private readonly startUp: StartUp,
  ) {}

  onModuleInit(): void {
    this.checkConnectionNames();
    const { name, mq } = this.connection;
    for (const { topics, connection } of this.discovery.instancesOf(MqFeature))
      if (connection === name) for (const topic of topics) mq.declareTopic(topic);
    // They belong to producers: whether anything is consumed or not.
    this.transactions.register(mq);
    this.events.subscribe();
  }

  async onApplicationBootstrap(): Promise<void> {
    const { mq, options } = this.connection;
    try {
      // What is wrong in code ends the start, also while the broker is away.
      this.crons.check();
      await this.startUp.run(async () => {
        // Without listeners `start` declares the topics and begins their upkeep.
        await ((options.consumers ?? MODULE_DEFAULTS.consumers) ? this.registrar.start() : mq.start());
        await this.crons.upsert();
      });
    } catch (error) {
      // Nobody gets hold of an application that failed to start, so nobody else could close the sockets. Should that
      // fail too, the first error is the one that tells why.
      await this.onApplicationShutdown().catch(() => undefined);
      throw error;
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    // A start that still waits for the broker consumes nothing: there is nothing to drain, and waiting for it takes long.
    if (this.startUp.isUnderWay) this.startUp.abandon();
    else await this.registrar.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connection.mq.close();
    this.events.unsubscribe();
  }

  /** A misspelt connection name would otherwise mean a listener that never hears anything. */
  private checkConnectionNames(): void {
    const names = this.discovery.instancesOf(MqConnection).map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined)
      throw new InvalidOptionError(
        'MqModule.name',
        twice,
        'is the connection of two MqModule.forRoot; give each its own name',
      );
    const check = (name: string, who: string): void => {
      if (names.includes(name)) return;
      throw new InvalidOptionError(
        'connection',
        name,
        `is used by ${who}, but no MqModule.forRoot has this name; known: ${names.join(', ')}`,
      );
    };
    for (const { connection } of this.discovery.instancesOf(MqFeature)) check(connection, 'MqModule.forFeature');
    for (const { prototype, name } of this.discovery.classes())
      for (const { connection } of cronsOf(prototype, name)) check(connection, name);
    for (const { prototype, method, name } of this.discovery.methods())
      for (const { connection } of [
        ...listenersOf(prototype, method),
        ...deadLetterListenersOf(prototype, method),
        ...transactionListenersOf(prototype, method),
        ...eventsOf(prototype, method),
      ])
        check(connection, name);
  }
}
