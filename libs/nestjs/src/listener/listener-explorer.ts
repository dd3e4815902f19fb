// Finds the listeners of one connection and makes each a handler that core can call.
import { InvalidOptionError, type Handler, type ListenerOptions, type Middleware } from '@millrace/core';
import { Injectable, type InjectionToken } from '@nestjs/common';
import { ModuleRef, type ContextId } from '@nestjs/core';
import { MqConnection } from '../connection/mq-connection.js';
import { instanceFor, isPerMessage, MethodDiscovery, type FoundMethod } from '../method-discovery.js';
import { ListenerArguments } from '../pipeline/listener-arguments.js';
import { ListenerPipeline } from '../pipeline/listener-pipeline.js';
import { NestEnhancers, type ListenerHost } from '../pipeline/nest-enhancers.js';
import { checkListener, checkProvidedOnce } from './check-listener.js';
import { listenersOf, type ListenerDeclaration } from './mq-listener.decorator.js';
import { isMiddlewareFunction, middlewareOf, type MqListenerMiddleware } from './use-mq-middleware.decorator.js';

/** What `mq.listen` takes. */
export interface FoundListener {
  readonly options: ListenerOptions;
  readonly handler: Handler;
  readonly name: string;
  readonly middleware: readonly Middleware[];
}

@Injectable()
export class ListenerExplorer {
  private readonly enhancers: NestEnhancers;

  constructor(
    private readonly connection: MqConnection,
    private readonly discovery: MethodDiscovery,
    private readonly moduleRef: ModuleRef,
  ) {
    this.enhancers = new NestEnhancers(moduleRef, connection.options.enhancers ?? {});
  }

  /** All listeners of this connection. Throws InvalidOptionError naming the method when one is declared badly. */
  explore(): FoundListener[] {
    const listeners: FoundListener[] = [];
    const seen: FoundMethod[] = [];
    for (const found of this.discovery.methods()) {
      const declarations = listenersOf(found.prototype, found.method).filter(
        ({ connection }) => connection === this.connection.name,
      );
      if (declarations.length === 0) continue;
      checkProvidedOnce(found, seen);
      seen.push(found);
      for (const declaration of declarations) {
        checkListener(found, declaration);
        listeners.push(this.listener(found, declaration));
      }
    }
    return listeners;
  }

  private listener(found: FoundMethod, declaration: ListenerDeclaration): FoundListener {
    return {
      options: this.optionsOf(found.name, declaration.use),
      handler: this.handlerOf(found, declaration),
      name: found.name,
      middleware: middlewareOf(found.prototype, found.method).map((entry) => this.middleware(found.name, entry)),
    };
  }

  private optionsOf(name: string, use: ListenerOptions | string): ListenerOptions {
    if (typeof use !== 'string') return use;
    const { listeners = {} } = this.connection.options;
    if (Object.hasOwn(listeners, use)) return listeners[use]!;
    const known = Object.keys(listeners).join(', ') || 'none';
    throw new InvalidOptionError(
      'listeners',
      use,
      `has no listener of the name that ${name} asks for; known: ${known}`,
    );
  }

  private handlerOf(found: FoundMethod, declaration: ListenerDeclaration): Handler {
    const { wrapper } = found;
    const build = (instance: unknown, contextId?: ContextId): Handler => {
      const host = hostOf(found, instance, contextId);
      const enhancers = this.enhancers.of(host);
      const args = new ListenerArguments(found.prototype, found.method, declaration, enhancers);
      return new ListenerPipeline(host, enhancers, args, found.name).handle;
    };
    if (!isPerMessage(wrapper)) return build(wrapper.instance);
    return async (context) => {
      const { instance, contextId } = await instanceFor(wrapper, context);
      return build(instance, contextId)(context);
    };
  }

  private middleware(name: string, entry: Middleware | InjectionToken): Middleware {
    if (isMiddlewareFunction(entry)) return entry;
    let provider: MqListenerMiddleware;
    try {
      provider = this.moduleRef.get<MqListenerMiddleware>(entry as string, { strict: false });
    } catch (error) {
      throw new InvalidOptionError(
        `${name}: @UseMqMiddleware`,
        entry,
        `cannot be injected: ${(error as Error).message}`,
      );
    }
    if (typeof provider?.handle !== 'function')
      throw new InvalidOptionError(`${name}: @UseMqMiddleware`, entry, 'must be a provider with a handle method');
    return (context, next) => provider.handle(context, next);
  }
}

function hostOf({ wrapper, prototype, method }: FoundMethod, instance: unknown, contextId?: ContextId): ListenerHost {
  const module = wrapper.host!;
  // Transient enhancers are made for their host. Nest makes those of a static host only for entry providers.
  const own = contextId !== undefined || module.entryProviders.includes(wrapper);
  return {
    instance: instance as ListenerHost['instance'],
    method: (prototype as ListenerHost['instance'])[method]!,
    methodName: method,
    moduleKey: module.token,
    contextId,
    inquirerId: own ? wrapper.id : undefined,
  };
}
