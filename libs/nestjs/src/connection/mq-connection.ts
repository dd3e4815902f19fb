// One named connection of this application: its options, checked, and the `Mq` made of them. Opens nothing.
import { Mq, type BrokerPorts } from '@millrace/core';
import { connectRedis, type RedisHealth, type RedisPorts } from '@millrace/redis';
import { checkModuleOptions, type MqModuleOptions } from '../mq-module-options.js';

export const DEFAULT_CONNECTION = 'default';

export class MqConnection {
  constructor(
    readonly name: string,
    readonly options: MqModuleOptions,
    readonly mq: Mq,
  ) {}

  /** Undefined where the ports do not tell (in-memory ones). */
  brokerHealth(): RedisHealth | undefined {
    return (this.mq.ports as BrokerPorts & Partial<RedisPorts>).health?.();
  }
}

/** Throws InvalidOptionError, so that a bad option ends the start of the application and not the first message. */
export function createMq(name: string, options: unknown): Mq {
  checkModuleOptions(name === DEFAULT_CONNECTION ? 'MqModule' : `MqModule(${name})`, options);
  const { topics, autoCreate, delayLevels, middleware, durability, shutdownTimeout, clock } = options;
  return new Mq(portsOf(options), { topics, autoCreate, delayLevels, middleware, durability, shutdownTimeout, clock });
}

function portsOf({ ports, connection, namespace, sendTimeout, silenceTimeout }: MqModuleOptions): BrokerPorts {
  // checkModuleOptions has seen to it that one of the two is there.
  return ports ?? connectRedis({ connection: connection!, namespace, sendTimeout, silenceTimeout });
}
