// Connects @OnMqEvent methods with the events of one connection.
import type { MqEventMap, MqEventName } from '@millrace/core';
import { Injectable, Logger } from '@nestjs/common';
import { DEFAULT_CONNECTION, MqConnection } from '../connection/mq-connection.js';
import { instanceFor, isPerMessage, MethodDiscovery, type FoundMethod } from '../method-discovery.js';
import { logEvents } from './event-log.js';
import { eventsOf } from './on-mq-event.decorator.js';

@Injectable()
export class EventSubscriptions {
  private readonly logger: Logger;
  private subscribed: (() => void)[] = [];

  constructor(
    private readonly connection: MqConnection,
    private readonly discovery: MethodDiscovery,
  ) {
    this.logger = new Logger(connection.name === DEFAULT_CONNECTION ? 'Mq' : `Mq(${connection.name})`);
  }

  subscribe(): void {
    const { name, mq } = this.connection;
    this.subscribed = [logEvents(mq.events, this.logger)];
    for (const found of this.discovery.methods())
      for (const { event, connection } of eventsOf(found.prototype, found.method))
        if (connection === name)
          this.subscribed.push(mq.events.on(event, (payload) => this.call(found, event, payload)));
  }

  unsubscribe(): void {
    for (const off of this.subscribed.splice(0)) off();
  }

  private call(found: FoundMethod, event: MqEventName, payload: MqEventMap[MqEventName]): void {
    this.run(found, payload).catch((error: unknown) => {
      const stack = error instanceof Error ? error.stack : undefined;
      this.logger.error(`${found.name} failed on ${event}: ${String(error)}`, stack);
    });
  }

  private async run({ wrapper, method }: FoundMethod, payload: object): Promise<void> {
    const instance: unknown = isPerMessage(wrapper) ? (await instanceFor(wrapper, payload)).instance : wrapper.instance;
    await (instance as Record<string, (payload: object) => unknown>)[method]!(payload);
  }
}
