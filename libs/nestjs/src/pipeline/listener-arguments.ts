// What each parameter of a listener gets. Only the payload goes through the listener's pipes: headers and context have
// no type a pipe could use.
import type { MqContext } from '@millrace/core';
import type { ArgumentMetadata, ExecutionContext, PipeTransform } from '@nestjs/common';
import { CUSTOM_ROUTE_ARGS_METADATA, PARAMTYPES_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { ListenerDeclaration } from '../listener/mq-listener.decorator.js';
import type { MqParam, MqPipe } from '../listener/listener-params.decorator.js';
import type { Enhancers } from './nest-enhancers.js';
import { validateWith } from './standard-schema.js';

/** One call of a listener. */
export interface ListenerCall {
  /** The payload before schema and pipes. */
  readonly body: unknown;
  readonly context: MqContext;
  /** What guards, interceptors and `createParamDecorator` decorators see. */
  readonly execution: () => ExecutionContext;
}

interface Parameter {
  /** Undefined: the payload is only to be checked, no parameter takes it. */
  readonly index?: number;
  readonly read: (call: ListenerCall, payload: unknown) => unknown;
  /** What is read may be a promise of it. */
  readonly mayWait?: boolean;
  readonly pipes: readonly PipeTransform[];
  readonly metadata: ArgumentMetadata;
}

/** A decorated parameter as Nest keeps it, by a key of `kind:index`. */
interface RouteArgument {
  readonly index: number;
  readonly data?: string;
  readonly pipes?: readonly MqPipe[];
  readonly factory?: (data: unknown, execution: ExecutionContext) => unknown;
}

const READ: Record<MqParam, (data: string | undefined) => Parameter['read']> = {
  mqPayload: (property) => (_call, payload) =>
    property === undefined ? payload : (payload as Record<string, unknown> | null | undefined)?.[property],
  mqHeader: (name) => (call) => call.context.message.headers[name!],
  mqHeaders: () => (call) => call.context.message.headers,
  mqMessage: () => (call) => call.context.message,
  mqContext: () => (call) => call.context,
};

const NO_PIPES = { pipes: [], metadata: { type: 'custom' } } as const;

export class ListenerArguments {
  private readonly parameters: readonly Parameter[];

  constructor(
    prototype: object,
    method: string,
    private readonly declaration: Pick<ListenerDeclaration, 'payload' | 'schema'>,
    enhancers: Pick<Enhancers, 'pipes' | 'pipesOf'>,
  ) {
    const types = (Reflect.getMetadata(PARAMTYPES_METADATA, prototype, method) ?? []) as ArgumentMetadata['metatype'][];
    const decorated = (Reflect.getMetadata(ROUTE_ARGS_METADATA, prototype.constructor, method) ?? {}) as Record<
      string,
      RouteArgument
    >;
    const payload = (index?: number, property?: string, own: readonly MqPipe[] = []): Parameter => ({
      index,
      read: READ.mqPayload(property),
      pipes: [...enhancers.pipes, ...enhancers.pipesOf(own)],
      metadata: {
        type: 'body',
        metatype: (property === undefined && declaration.payload) || types[index ?? -1],
        data: property,
      },
    });

    const parameters = Object.entries(decorated).map(([key, { index, data, pipes = [], factory }]): Parameter => {
      if (key.startsWith('mqPayload:')) return payload(index, data, pipes);
      if (key.includes(CUSTOM_ROUTE_ARGS_METADATA) && factory)
        return {
          index,
          read: (call) => factory(data, call.execution()),
          mayWait: true,
          pipes: enhancers.pipesOf(pipes),
          metadata: { type: 'custom', metatype: types[index], data },
        };
      return { index, read: READ[key.split(':', 1)[0] as MqParam](data), ...NO_PIPES };
    });
    const taken = new Set(parameters.map(({ index }) => index));
    if (!taken.has(0)) parameters.push(payload(0));
    if (!taken.has(1)) parameters.push({ index: 1, read: READ.mqContext(undefined), ...NO_PIPES });
    const whole = parameters.some(({ metadata }) => metadata.type === 'body' && metadata.data === undefined);
    if (declaration.payload && !whole) parameters.push(payload());
    this.parameters = parameters;
  }

  /** Rejects with whatever the schema, a pipe or a decorator's factory threw: the listener is not to be entered then. */
  async resolve(call: ListenerCall): Promise<unknown[]> {
    const { schema } = this.declaration;
    const payload = schema ? await validateWith(schema, call.body) : call.body;
    const values: unknown[] = [];
    for (const { index, read, mayWait, pipes, metadata } of this.parameters) {
      let value = read(call, payload);
      if (mayWait) value = await value;
      for (const pipe of pipes) value = await pipe.transform(value, metadata);
      if (index !== undefined) values[index] = value;
    }
    return values;
  }
}
