// Finds decorated methods of all providers and controllers, and the instances to call them on.
import { Injectable } from '@nestjs/common';
import { ContextIdFactory, DiscoveryService, MetadataScanner, ModuleRef, type ContextId } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';

/** A method of a provider or controller. */
export interface FoundMethod {
  readonly wrapper: InstanceWrapper;
  readonly prototype: object;
  readonly method: string;
  /** `Class.method`, for errors and logs. */
  readonly name: string;
}

export type FoundClass = Omit<FoundMethod, 'method'>;

@Injectable()
export class MethodDiscovery {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** All methods of the application's classes; those of an instance that is provided under several tokens once. */
  *methods(): Generator<FoundMethod> {
    for (const { wrapper, prototype, name } of this.classes())
      for (const method of this.scanner.getAllMethodNames(prototype))
        yield { wrapper, prototype, method, name: `${name}.${method}` };
  }

  /** All classes of providers and controllers, once per instance. */
  *classes(): Generator<FoundClass> {
    const seen = new Set<unknown>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const prototype = wrapper.isAlias ? undefined : prototypeOf(wrapper);
      if (prototype === undefined || seen.has(wrapper.instance)) continue;
      seen.add(wrapper.instance);
      yield { wrapper, prototype, name: className(prototype) };
    }
  }

  /** Every provided instance of a class of this library, over all modules. */
  instancesOf<T>(type: abstract new (...args: never[]) => T): T[] {
    const instances = this.discovery.getProviders().map(({ instance }) => instance as unknown);
    return [...new Set(instances.filter((instance): instance is T => instance instanceof type))];
  }
}

/** Request-scoped (in itself or by what it depends on) and transient classes have no instance of their own to call. */
export function isPerMessage(wrapper: InstanceWrapper): boolean {
  return wrapper.isTransient || !wrapper.isDependencyTreeStatic();
}

/**
 * Makes the instances of one message, `request` being injectable as REQUEST. Nothing is registered for their removal:
 * Nest keeps them under the context id, weakly, so they go with it.
 */
export async function instanceFor(
  wrapper: InstanceWrapper,
  request: object,
): Promise<{ instance: unknown; contextId: ContextId }> {
  const moduleRef = wrapper.host!.getProviderByKey<ModuleRef>(ModuleRef).instance;
  const contextId = ContextIdFactory.getByRequest(request);
  // As Nest does for HTTP: a durable tree is made for a payload (the tenant, say) and shared by its requests.
  const durable = wrapper.isDependencyTreeDurable() && contextId.payload !== undefined;
  moduleRef.registerRequestByContextId(durable ? contextId.payload : request, contextId);
  return { instance: await moduleRef.resolve(wrapper.token as string, contextId, { strict: true }), contextId };
}

/** Values without a class behind them are provided too. */
function className(prototype: { constructor?: { name?: string } }): string {
  return prototype.constructor?.name ?? 'Object';
}

/** Undefined for what cannot have decorated methods: factories that have not made anything, primitives, plain objects. */
function prototypeOf(wrapper: InstanceWrapper): object | undefined {
  const instance = wrapper.instance as unknown;
  if (typeof instance !== 'object' || instance === null) return undefined;
  const prototype = Object.getPrototypeOf(instance) as object | null;
  return prototype === null || prototype === Object.prototype ? undefined : prototype;
}
