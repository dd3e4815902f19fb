// The inbox on a listener.
import { UseMqMiddleware } from '@millrace/nestjs';
import { getInboxToken } from '../module/outbox-tokens.js';

/**
 * Makes the effects of a listener in the database happen once per message: the listener runs in a transaction together
 * with the record that it has handled this message, and a second delivery finds the record. Effects count when they are
 * written in `getTransaction(context)`, or sent through `Outbox`, which joins that transaction. On a method with
 * `@MqListener`, or on a class for all of its listeners; needs `TransactionalModule`. @param name of that module, where
 * the application has several
 */
export function UseInbox(name?: string): ClassDecorator & MethodDecorator {
  return UseMqMiddleware(getInboxToken(name));
}
