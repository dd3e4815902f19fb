// Marks a method as a listener. What it says is read at the start of the application, by listener-explorer.ts.
import type { ListenerOptions } from '@millrace/core';
import type { Type } from '@nestjs/common';
import { ENTRY_PROVIDER_WATERMARK } from '@nestjs/common/constants.js';
import { DEFAULT_CONNECTION } from '../connection/mq-connection.js';
import { MethodMetadata } from '../method-metadata.js';
import type { StandardSchemaV1 } from '../pipeline/standard-schema.js';

/** What a listener may be told besides core's `ListenerOptions`. */
export interface MqListenerExtras {
  /** Name of the connection it listens on. @default the unnamed connection */
  connection?: string;
  /** Class the payload is given to pipes with; for builds that emit no decorator metadata. @default the parameter's type */
  payload?: Type<unknown>;
  /** Validates the payload (zod, valibot, arktype, …) before pipes; what it returns is the payload from then on. */
  schema?: StandardSchemaV1;
}

export interface MqListenerOptions extends ListenerOptions, MqListenerExtras {}

/** One `@MqListener` as written. */
export interface ListenerDeclaration extends MqListenerExtras {
  readonly connection: string;
  /** Options, or the name under which the module's `listeners` has them. */
  readonly use: ListenerOptions | string;
  /** The method as it was when this decorator saw it. */
  readonly method: unknown;
}

const listeners = new MethodMetadata<ListenerDeclaration>('MqListener');

/**
 * Makes the method a listener. It resolves: ack; it throws: retry; it returns `retryLater`, `deadLetter` or `handBack`:
 * that. Its first undecorated parameter is the payload, the second the `MqContext`. Works on providers and controllers,
 * several times per method and class. Bad options end the start of the application.
 *
 * What a guard, a pipe or the schema refuses is a dead letter at once (`invalid`), and the method does not run. The
 * application's global pipes and interceptors apply; its global guards and filters only by the module's `enhancers`.
 * Interceptors and exception filters see its failures, and never turn one into an ack.
 */
export function MqListener(options: MqListenerOptions): MethodDecorator;
/** The same with options that the module's `listeners` has under this name; unknown names end the start. */
export function MqListener(name: string, extras?: MqListenerExtras): MethodDecorator;
export function MqListener(given: MqListenerOptions | string, extras: MqListenerExtras = {}): MethodDecorator {
  const declared = typeof given === 'string' ? { ...extras, use: given } : split(given);
  return (target, method, descriptor) => {
    const declaration = {
      ...declared,
      connection: declared.connection ?? DEFAULT_CONNECTION,
      method: descriptor?.value,
    };
    listeners.add(declaration, target, method);
    // Like resolvers and gateways: request-scoped global pipes and interceptors then reach the class's instances.
    Reflect.defineMetadata(ENTRY_PROVIDER_WATERMARK, true, target.constructor);
  };
}

/** The `@MqListener`s of a method. */
export function listenersOf(prototype: object, method: string): readonly ListenerDeclaration[] {
  return listeners.of(prototype, method);
}

function split(options: MqListenerOptions): MqListenerExtras & { use: ListenerOptions } {
  const { connection, payload, schema, ...use } = options;
  return { connection, payload, schema, use };
}
