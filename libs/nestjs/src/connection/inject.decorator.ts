// Injection by connection name; without a name, the default connection.
import { Inject } from '@nestjs/common';
import { getMqAdminToken, getMqProducerToken, getMqToken } from './connection-tokens.js';

type InjectDecorator = ReturnType<typeof Inject>;

/** Injects the connection's `MqProducer`. For the default connection the type alone is enough. */
export const InjectMqProducer = (name?: string): InjectDecorator => Inject(getMqProducerToken(name));

/** Injects the connection's core `Mq`: its events and ports. */
export const InjectMq = (name?: string): InjectDecorator => Inject(getMqToken(name));

/** Injects the connection's admin port: type it `BrokerAdmin`. */
export const InjectMqAdmin = (name?: string): InjectDecorator => Inject(getMqAdminToken(name));
