// Marks a method that answers for half messages. What it says is read at the start of the application.
import type { Message, TransactionCheckContext, TransactionDecision, TransactionListenerOptions } from '@millrace/core';
import { DEFAULT_CONNECTION } from '../connection/mq-connection.js';
import { MethodMetadata } from '../method-metadata.js';

export interface MqTransactionListenerOptions extends TransactionListenerOptions {
  /** Name of the connection it answers on. @default the unnamed connection */
  connection?: string;
}

export interface TransactionListenerDeclaration {
  readonly connection: string;
  readonly options: TransactionListenerOptions;
}

/** A method decorator that checks what the method takes and says. */
export type MqTransactionDecorator = <
  // Whatever payload type the method's author trusts in.
  T extends (
    message: Message<never>,
    context: TransactionCheckContext,
  ) => TransactionDecision | Promise<TransactionDecision>,
>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

const listeners = new MethodMetadata<TransactionListenerDeclaration>('MqTransactionListener');

/**
 * The method is asked about half messages (`MqProducer.sendInTransaction`) whose sender has not decided: of several processes
 * with such a method one is asked each time. It takes the `Message` and a `TransactionCheckContext`, and says 'commit',
 * 'rollback' or 'unknown'; a throw means 'unknown'. Answers from the start of the application until its close, also with
 * `consumers: false`. A string is a topic.
 */
export function MqTransactionListener(given: MqTransactionListenerOptions | string): MqTransactionDecorator {
  const { connection = DEFAULT_CONNECTION, ...options } = typeof given === 'string' ? { topic: given } : given;
  return (target, method) => listeners.add({ connection, options }, target, method);
}

/** The `@MqTransactionListener`s of a method. */
export function transactionListenersOf(prototype: object, method: string): readonly TransactionListenerDeclaration[] {
  return listeners.of(prototype, method);
}
