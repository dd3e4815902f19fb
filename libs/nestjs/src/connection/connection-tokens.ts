// Injection tokens per named connection. The default connection goes by classes, named ones by readable strings.
// Public, because tests override providers by them.
import { Mq } from '@millrace/core';
import type { InjectionToken } from '@nestjs/common';
import { MqHealth } from './mq.health.js';
import { MqProducer } from '../producer/mq-producer.js';
import { MqRegistrar } from './mq-registrar.js';

export const DEFAULT_CONNECTION = 'default';

/** Token of the connection's `MqModuleOptions`, as given to `forRoot` or made by the factory of `forRootAsync`. */
export const getMqOptionsToken = (name?: string): InjectionToken => tokenOf('MqModuleOptions', name, 'MqModuleOptions');

/** Token of the connection's core `Mq`. */
export const getMqToken = (name?: string): InjectionToken<Mq> => tokenOf(Mq, name, 'Mq');

/** Token of the connection's `MqProducer`; the class itself for the default connection. */
export const getMqProducerToken = (name?: string): InjectionToken<MqProducer> =>
  tokenOf(MqProducer, name, 'MqProducer');

/** Token of the connection's admin port (`BrokerAdmin`). */
export const getMqAdminToken = (name?: string): InjectionToken => tokenOf('MqAdmin', name, 'MqAdmin');

/** Token of the connection's `MqRegistrar`; the class itself for the default connection. */
export const getMqRegistrarToken = (name?: string): InjectionToken<MqRegistrar> =>
  tokenOf(MqRegistrar, name, 'MqRegistrar');

/** Token of the connection's `MqHealth`; the class itself for the default connection. */
export const getMqHealthToken = (name?: string): InjectionToken<MqHealth> => tokenOf(MqHealth, name, 'MqHealth');

function tokenOf<T>(ofDefault: InjectionToken<T>, name: string | undefined, base: string): InjectionToken<T> {
  return name === undefined || name === DEFAULT_CONNECTION ? ofDefault : `${base}:${name}`;
}
