// What can be wrong with a listener that neither its options nor Nest would tell: found at start, named by Class.method.
import { InvalidOptionError } from '@millrace/core';
import {
  CUSTOM_ROUTE_ARGS_METADATA,
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import type { FoundMethod } from '../method-discovery.js';
import type { ListenerDeclaration } from './mq-listener.decorator.js';

const ENHANCERS = {
  [GUARDS_METADATA]: '@UseGuards',
  [INTERCEPTORS_METADATA]: '@UseInterceptors',
  [PIPES_METADATA]: '@UsePipes',
  [EXCEPTION_FILTERS_METADATA]: '@UseFilters',
} as const;

/** Throws InvalidOptionError. */
export function checkListener(found: FoundMethod, declaration: ListenerDeclaration): void {
  const { payload, schema } = declaration;
  if (payload !== undefined && typeof payload !== 'function')
    throw new InvalidOptionError(`${found.name}: payload`, payload, 'must be a class');
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function')
    throw new InvalidOptionError(`${found.name}: schema`, typeof schema, 'must be a Standard Schema');
  checkParameters(found);
  checkEnhancers(found, declaration.method);
}

/** The class in two modules' `providers` makes two instances, and each would listen. Throws InvalidOptionError. */
export function checkProvidedOnce(
  { prototype, method, name, wrapper }: FoundMethod,
  others: readonly FoundMethod[],
): void {
  const twin = others.find((other) => other.prototype === prototype && other.method === method);
  if (twin === undefined) return;
  const modules = [twin.wrapper, wrapper].map(({ host }) => host?.name).join(' and ');
  throw new InvalidOptionError(
    name,
    modules,
    'is provided by two modules, so it would listen twice; provide it in one, and export it',
  );
}

function checkParameters({ name, prototype, method }: FoundMethod): void {
  const decorated = (Reflect.getMetadata(ROUTE_ARGS_METADATA, prototype.constructor, method) ?? {}) as object;
  for (const key of Object.keys(decorated))
    if (!/^mq[A-Z]/.test(key) && !key.includes(CUSTOM_ROUTE_ARGS_METADATA))
      throw new InvalidOptionError(
        `${name}: parameter ${key.split(':').at(-1)}`,
        key,
        'is decorated for another transport; a listener takes @MqPayload, @MqHeader, @MqHeaders, @MqMessage or @MqCtx',
      );
}

/** A guard that is declared and would not run is worse than none: nobody looks for it. */
function checkEnhancers({ name, wrapper, prototype, method }: FoundMethod, decorated: unknown): void {
  const present = (prototype as Record<string, unknown>)[method];
  for (const [key, decorator] of Object.entries(ENHANCERS)) {
    if (Reflect.hasMetadata(key, decorated as object) && !Reflect.hasMetadata(key, present as object))
      throw new InvalidOptionError(
        `${name}: ${decorator}`,
        method,
        `is lost: a decorator above it replaced the method; put ${decorator} above that one`,
      );
    for (const enhancer of enhancersOf(key, prototype.constructor, present as object))
      if (typeof enhancer === 'function' && !wrapper.host?.injectables.has(enhancer))
        throw new InvalidOptionError(
          `${name}: ${decorator}`,
          enhancer,
          'is not instantiated by Nest, because the listener is made by a factory or given as a value; provide it as a class',
        );
  }
}

function enhancersOf(key: string, ...targets: readonly object[]): unknown[] {
  return targets.flatMap((target) => (Reflect.getMetadata(key, target) ?? []) as unknown[]);
}
