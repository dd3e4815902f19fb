// Guards, interceptors, pipes and filters of a listener, found by Nest's own context creators.
//
// Not `ExternalContextCreator.create`, which is made of the same parts: it finds the module of providers only, so on a
// controller it drops every guard that is given as a class; it takes global guards with the listener's own or neither;
// and it runs pipes on every parameter.
import type { CanActivate, NestInterceptor, PipeTransform } from '@nestjs/common';
import type { ApplicationConfig, ContextId, ModuleRef, NestContainer } from '@nestjs/core';
import { ExternalExceptionFilterContext } from '@nestjs/core/exceptions/external-exception-filter-context.js';
import type { ExternalExceptionsHandler } from '@nestjs/core/exceptions/external-exceptions-handler.js';
import { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
import { InterceptorsContextCreator } from '@nestjs/core/interceptors/interceptors-context-creator.js';
import { PipesContextCreator } from '@nestjs/core/pipes/pipes-context-creator.js';
import type { MqEnhancerOptions } from '../mq-module-options.js';
import type { MqPipe } from '../listener/listener-params.decorator.js';

/** The instance a listener runs on, and where Nest keeps what belongs to it. */
export interface ListenerHost {
  readonly instance: Record<string, (...args: unknown[]) => unknown>;
  /** The method of the class, which carries the decorators' metadata; calls go through the instance. */
  readonly method: (...args: unknown[]) => unknown;
  readonly methodName: string;
  /** Key of the host's module in the container. */
  readonly moduleKey: string;
  /** Present when instances are made per message. */
  readonly contextId?: ContextId;
  /** Id of the host's wrapper; transient enhancers are kept per host. */
  readonly inquirerId?: string;
}

export interface Enhancers {
  readonly guards: CanActivate[];
  readonly interceptors: NestInterceptor[];
  readonly pipes: PipeTransform[];
  readonly filters: ExternalExceptionsHandler;
  /** Instances of the pipes that a parameter names. */
  pipesOf(pipes: readonly MqPipe[]): PipeTransform[];
}

export class NestEnhancers {
  private readonly guards: GuardsContextCreator;
  private readonly interceptors: InterceptorsContextCreator;
  private readonly pipes: PipesContextCreator;
  private readonly filters: ExternalExceptionFilterContext;

  constructor(moduleRef: ModuleRef, globals: MqEnhancerOptions) {
    // The container is not injectable; `container` of ModuleRef is protected, and the same from Nest 11 to 12.
    const container: NestContainer = moduleRef['container'];
    const config: ApplicationConfig | undefined = container.applicationConfig;
    // A creator without the application's config knows no global enhancers.
    this.guards = new GuardsContextCreator(container, globals.guards ? config : undefined);
    this.interceptors = new InterceptorsContextCreator(container, config);
    this.pipes = new PipesContextCreator(container, config);
    this.filters = new ExternalExceptionFilterContext(container, globals.filters ? config : undefined);
  }

  of(host: ListenerHost): Enhancers {
    const { instance, method, moduleKey, contextId, inquirerId } = host;
    return {
      guards: this.guards.create(instance, method, moduleKey, contextId, inquirerId),
      interceptors: this.interceptors.create(instance, method, moduleKey, contextId, inquirerId),
      pipes: this.pipes.create(instance, method, moduleKey, contextId, inquirerId),
      filters: this.filters.create(instance, method as never, moduleKey, contextId, inquirerId),
      pipesOf: (pipes) => {
        this.pipes.setModuleContext(moduleKey);
        return this.pipes.createConcreteContext([...pipes], contextId, inquirerId);
      },
    };
  }
}
