// How application-wide guards, interceptors and filters tell a listener call from an HTTP request.
import { InvalidOptionError, type MqContext } from '@millrace/core';
import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';

/** `getType()` of the execution context of every listener call. */
export const MQ_CONTEXT_TYPE = 'mq';

/** Arguments of a listener call as `ExecutionContext.getArgs()` gives them: the payload before pipes, then the context. */
export type MqCallArguments = [payload: unknown, context: MqContext];

/** True inside a listener call. */
export function isMqContext(host: ArgumentsHost | ExecutionContext): boolean {
  return host.getType<string>() === MQ_CONTEXT_TYPE;
}

/** The delivery being handled. Throws InvalidOptionError outside of a listener call: ask `isMqContext` first. */
export function getMqContext<T = unknown>(host: ArgumentsHost | ExecutionContext): MqContext<T> {
  if (!isMqContext(host))
    throw new InvalidOptionError(
      'host',
      host.getType<string>(),
      'is not the execution context of a listener; ask isMqContext first',
    );
  return host.getArgByIndex<MqContext<T>>(1);
}
