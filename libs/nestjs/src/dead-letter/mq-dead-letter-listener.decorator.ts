// Marks a method that is told of dead letters. What it says is read at the start of the application.
import type { DeadLetterContext, DeadLetter, DeadLetterListenerOptions } from '@millrace/core';
import { DEFAULT_CONNECTION } from '../connection/mq-connection.js';
import { MethodMetadata } from '../method-metadata.js';

export interface MqDeadLetterListenerOptions extends DeadLetterListenerOptions {
  /** Name of the connection it listens on. @default the unnamed connection */
  connection?: string;
}

export interface DeadLetterDeclaration {
  readonly connection: string;
  readonly options: DeadLetterListenerOptions;
}

/** A method decorator that checks what the method takes. */
export type MqDeadLetterDecorator = <T extends (letter: DeadLetter, context: DeadLetterContext) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

const listeners = new MethodMetadata<DeadLetterDeclaration>('MqDeadLetterListener');

/**
 * The method is told of each new dead letter of the group, at least once, wherever it died and over restarts; of several
 * processes one is told. It takes the `DeadLetter` and a `DeadLetterContext` (`message` decoded, `signal`). It resolves: told;
 * it throws: told again after `retryDelay`. Runs where consumers run. `@OnMqEvent('dead-letter')` is the hook for what
 * dies in this process, without any promise.
 */
export function MqDeadLetterListener(given: MqDeadLetterListenerOptions): MqDeadLetterDecorator {
  const { connection = DEFAULT_CONNECTION, ...options } = given;
  return (target, method) => listeners.add({ connection, options }, target, method);
}

/** The `@MqDeadLetterListener`s of a method. */
export function deadLetterListenersOf(prototype: object, method: string): readonly DeadLetterDeclaration[] {
  return listeners.of(prototype, method);
}
