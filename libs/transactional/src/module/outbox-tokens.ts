// Names of outbox and inbox in an application with several databases.
import { Inject, type InjectionToken } from '@nestjs/common';
import { InboxMiddleware } from '../inbox/inbox-middleware.js';
import { Outbox } from '../outbox/outbox.js';
import { OutboxAdmin } from '../outbox/outbox-admin.js';

/** Token of the `Outbox` of a `TransactionalModule` with this name; without one, the class itself. */
export function getOutboxToken(name?: string): InjectionToken<Outbox> {
  return name === undefined ? Outbox : `millrace:Outbox:${name}`;
}

/** Token of the `OutboxAdmin` of a `TransactionalModule` with this name; without one, the class itself. */
export function getOutboxAdminToken(name?: string): InjectionToken<OutboxAdmin> {
  return name === undefined ? OutboxAdmin : `millrace:OutboxAdmin:${name}`;
}

/** Token of the inbox of a `TransactionalModule` with this name; without one, `InboxMiddleware`. */
export function getInboxToken(name?: string): InjectionToken<InboxMiddleware> {
  return name === undefined ? InboxMiddleware : `millrace:Inbox:${name}`;
}

/** Injects the `Outbox` of the `TransactionalModule` with this name. */
export function InjectOutbox(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getOutboxToken(name));
}
