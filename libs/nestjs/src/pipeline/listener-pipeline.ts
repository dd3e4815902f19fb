// One call of a listener: guards, interceptors, pipes, the method, and exception filters as observers.
//
// The fate of a message is the listener's to decide: an error it throws is the failure, an outcome it returns counts.
// Interceptors run around it and may fail a message that it handled, or return an outcome of their own; but neither they
// nor filters turn its failure into an ack, put another error in its place (noRetry goes by its class), or lose its outcome.
import { HandBack, InvalidMessageError, Rejection, RetryLater, type Handler, type MqContext } from '@millrace/core';
import { ForbiddenException, Logger } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { GuardsConsumer } from '@nestjs/core/guards/guards-consumer.js';
import { InterceptorsConsumer } from '@nestjs/core/interceptors/interceptors-consumer.js';
import { isObservable, lastValueFrom } from 'rxjs';
import { MQ_CONTEXT_TYPE, type MqCallArguments } from '../execution-context.js';
import type { ListenerArguments } from './listener-arguments.js';
import type { Enhancers, ListenerHost } from './nest-enhancers.js';

/** How the latest run of the method went; an interceptor may run it again. */
interface Run {
  /** Present when it failed; `refused`: before the method was entered. */
  failure?: { readonly error: unknown; readonly refused: boolean };
  result?: unknown;
}

export class ListenerPipeline {
  private static readonly logger = new Logger('MqListener');
  private readonly guards = new GuardsConsumer();
  private readonly interceptors = new InterceptorsConsumer();

  constructor(
    private readonly host: ListenerHost,
    private readonly enhancers: Enhancers,
    private readonly args: ListenerArguments,
    private readonly name: string,
  ) {}

  /** Rejects with the error that decides: InvalidMessageError when the listener was not entered, else what it threw. */
  readonly handle: Handler = async (context) => {
    const run: Run = {};
    let result: unknown;
    try {
      result = await this.around(context, run);
      // An interceptor said what is to happen.
      if (isOutcome(result)) return result;
    } catch (error) {
      run.failure ??= { error, refused: false };
    }
    if (run.failure === undefined) return isOutcome(run.result) ? run.result : result;
    const { error, refused } = run.failure;
    await this.showToFilters(error, context);
    throw refused ? new InvalidMessageError(error) : error;
  };

  private async around(context: MqContext, run: Run): Promise<unknown> {
    const args: MqCallArguments = [context.message.body, context];
    const { instance, method } = this.host;
    const { guards, interceptors } = this.enhancers;
    // Nest's consumers are asked only where there is something to do: this is the path of every message.
    if (guards.length > 0) await this.guard(args, run);
    if (interceptors.length === 0) return this.enter(args, run);
    const enter = (): Promise<unknown> => this.enter(args, run);
    return lastOf(await this.interceptors.intercept(interceptors, args, instance, method, enter, MQ_CONTEXT_TYPE));
  }

  private async guard(args: MqCallArguments, run: Run): Promise<void> {
    const { instance, method } = this.host;
    try {
      if (!(await this.guards.tryActivate(this.enhancers.guards, args, instance, method, MQ_CONTEXT_TYPE)))
        throw new ForbiddenException('Forbidden resource');
    } catch (error) {
      run.failure = { error, refused: true };
      throw error;
    }
  }

  private async enter(args: MqCallArguments, run: Run): Promise<unknown> {
    run.failure = undefined;
    run.result = undefined;
    let refused = true;
    try {
      const execution = (): ExecutionContextHost => this.executionOf(args);
      const values = await this.args.resolve({ body: args[0], context: args[1], execution });
      refused = false;
      // Through the instance of the container: it may be wrapped (Nest's `instrument`) or spied on.
      const given = await this.host.instance[this.host.methodName]!(...values);
      return (run.result = isObservable(given) ? await lastOf(given) : given);
    } catch (error) {
      run.failure = { error, refused };
      throw error;
    }
  }

  /** A filter's answer is not used, and its own failure is only logged: it observes. */
  private async showToFilters(error: unknown, context: MqContext): Promise<void> {
    try {
      await this.enhancers.filters.invokeCustomFilters(error, this.executionOf([context.message.body, context]));
    } catch (failure) {
      if (failure === error) return;
      ListenerPipeline.logger.error(
        `An exception filter of ${this.name} failed: ${String(failure)}`,
        failure instanceof Error ? failure.stack : undefined,
      );
    }
  }

  private executionOf(args: MqCallArguments): ExecutionContextHost {
    const { instance, method } = this.host;
    const execution = new ExecutionContextHost(args, instance.constructor as never, method);
    execution.setType(MQ_CONTEXT_TYPE);
    return execution;
  }
}

function isOutcome(value: unknown): boolean {
  return value instanceof RetryLater || value instanceof Rejection || value instanceof HandBack;
}

/** A listener, or an interceptor, may give an Observable: its last value counts, and none is as good as undefined. */
function lastOf(given: unknown): unknown {
  return isObservable(given) ? lastValueFrom(given, { defaultValue: undefined }) : given;
}
