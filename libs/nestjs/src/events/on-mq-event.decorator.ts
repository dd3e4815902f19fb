// Marks a method as a subscriber of what happens inside: dead letters, lost leases, stalled listeners.
import type { MqEventMap, MqEventName } from '@millrace/core';
import { DEFAULT_CONNECTION } from '../connection/mq-connection.js';
import { MethodMetadata } from '../method-metadata.js';

export interface OnMqEventOptions {
  /** @default the unnamed connection */
  connection?: string;
}

export interface EventDeclaration {
  readonly event: MqEventName;
  readonly connection: string;
}

/** A method decorator that checks what the method takes. */
export type MqEventDecorator<E extends MqEventName> = <T extends (payload: MqEventMap[E]) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

const events = new MethodMetadata<EventDeclaration>('OnMqEvent');

/**
 * The method is called with the event's payload (`MqEventMap[event]`). Nothing waits for it, and what it throws is only
 * logged. Subscribed from before the first message is consumed until the application has shut down.
 */
export function OnMqEvent<E extends MqEventName>(event: E, options: OnMqEventOptions = {}): MqEventDecorator<E> {
  const declaration = { event, connection: options.connection ?? DEFAULT_CONNECTION };
  return (target, method) => events.add(declaration, target, method);
}

/** The `@OnMqEvent`s of a method. */
export function eventsOf(prototype: object, method: string): readonly EventDeclaration[] {
  return events.of(prototype, method);
}
