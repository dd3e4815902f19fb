// Middleware of one listener, for libraries and applications: the inbox attaches itself this way.
import type { Middleware } from '@millrace/core';
import type { InjectionToken } from '@nestjs/common';
import { MethodMetadata } from '../method-metadata.js';

/** Middleware that Nest provides; `@UseMqMiddleware(Token)` finds it wherever in the application it is provided. */
export interface MqListenerMiddleware {
  handle: Middleware;
}

type Entry = Middleware | InjectionToken<MqListenerMiddleware>;

const ofMethods = new MethodMetadata<readonly Entry[]>('UseMqMiddleware');
const OF_CLASS = 'millrace:UseMqMiddleware';

/**
 * Wraps the listeners of a method, or of a whole class, outside of guards, interceptors and pipes. Each entry is a
 * function, or the token of a provider with a `handle` method (not a request-scoped one). The first is the outermost;
 * the class's come before the method's, and all of them inside the module's `middleware`.
 */
export function UseMqMiddleware(...middleware: Entry[]): ClassDecorator & MethodDecorator {
  return (target: object, method?: string | symbol) => {
    if (method !== undefined) return ofMethods.add(middleware, target, method);
    const below = (Reflect.getOwnMetadata(OF_CLASS, target) ?? []) as readonly Entry[];
    Reflect.defineMetadata(OF_CLASS, [...middleware, ...below], target);
  };
}

/** Middleware of the class, then of the method, in source order. */
export function middlewareOf(prototype: object, method: string): readonly Entry[] {
  const ofClass = (Reflect.getMetadata(OF_CLASS, prototype.constructor) ?? []) as readonly Entry[];
  return [...ofClass, ...ofMethods.of(prototype, method).flat()];
}

/** A token, unless it is a plain function: classes are tokens, told by their syntax or by a `handle` on their prototype. */
export function isMiddlewareFunction(entry: Entry): entry is Middleware {
  if (typeof entry !== 'function') return false;
  const prototype = entry.prototype as Partial<MqListenerMiddleware> | undefined;
  return !/^class\b/.test(Function.prototype.toString.call(entry)) && typeof prototype?.handle !== 'function';
}
