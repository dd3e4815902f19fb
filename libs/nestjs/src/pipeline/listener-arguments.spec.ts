import { MqError, type MqContext } from '@millrace/core';
import { describe, expect, it } from '@jest/globals';
import {
  createParamDecorator,
  ParseIntPipe,
  ValidationPipe,
  type ArgumentMetadata,
  type PipeTransform,
} from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { IsString } from 'class-validator';
import { MqCtx, MqHeader, MqHeaders, MqMessage, MqPayload } from '../listener/listener-params.decorator.js';
import { MqListener } from '../listener/mq-listener.decorator.js';
import { ListenerArguments } from './listener-arguments.js';
import type { StandardSchemaV1 } from './standard-schema.js';

class OrderCreated {
  @IsString() id: string;
}

const Topic = createParamDecorator((_data: unknown, execution) => execution.getArgByIndex<MqContext>(1).topic);

class Orders {
  @MqListener({ topic: 'orders', group: 'spec' })
  undecorated(_order: OrderCreated, _context: MqContext): void {}
  decorated(
    @MqHeader('x') _x: string,
    @MqPayload() _order: OrderCreated,
    @MqPayload('id') _id: string,
    @MqHeaders() _headers: object,
    @MqMessage() _message: object,
    @MqCtx() _context: object,
    @Topic() _topic: string,
  ): void {}
  piped(@MqPayload('count', ParseIntPipe) _count: number): void {}
  contextOnly(@MqCtx() _context: object): void {}
  untyped(_order: object): void {}
}

class Corrections extends Orders {
  override decorated(@MqCtx() _context: unknown): void {}
}

const body = { id: 'o-1', count: '3' };
const message = { body, headers: { x: 'X' } };
const context = { message, topic: 'orders' } as unknown as MqContext;

interface Given {
  payload?: typeof OrderCreated;
  schema?: StandardSchemaV1;
  pipes?: PipeTransform[];
  of?: object;
  body?: unknown;
}

function pipesOf(own: readonly unknown[]): PipeTransform[] {
  return own.map((pipe) => new (pipe as new () => PipeTransform)());
}

function resolve(method: keyof Orders, given: Given = {}): Promise<unknown[]> {
  const { payload, schema, pipes = [], of = Orders.prototype } = given;
  const call = { body: 'body' in given ? given.body : body, context };
  const execution = (): ExecutionContextHost => new ExecutionContextHost([call.body, context]);
  return new ListenerArguments(of, method, { payload, schema }, { pipes, pipesOf }).resolve({ ...call, execution });
}

class Recorder implements PipeTransform {
  readonly seen: [unknown, ArgumentMetadata][] = [];
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    this.seen.push([value, metadata]);
    return value;
  }
}

const validation = new ValidationPipe({ transform: true, whitelist: true });

describe('parameters', () => {
  it('the first undecorated parameter is the payload, the second the context', async () => {
    expect(await resolve('undecorated')).toEqual([body, context]);
  });

  it('each decorator gives what it names', async () => {
    expect(await resolve('decorated')).toEqual(['X', body, 'o-1', message.headers, message, context, 'orders']);
  });

  it('an override that decorates its parameters starts anew', async () => {
    expect((await resolve('decorated', { of: Corrections.prototype }))[0]).toBe(context);
  });

  it('a property of a payload that is no object is undefined', async () => {
    expect((await resolve('decorated', { body: null }))[2]).toBeUndefined();
  });
});

describe('pipes', () => {
  it('see the payload with its class, and nothing else', async () => {
    const recorder = new Recorder();
    await resolve('decorated', { pipes: [recorder] });
    expect(recorder.seen).toHaveLength(2);
    expect(recorder.seen).toContainEqual([body, { type: 'body', metatype: OrderCreated, data: undefined }]);
    expect(recorder.seen).toContainEqual(['o-1', { type: 'body', metatype: String, data: 'id' }]);
  });

  it('ValidationPipe turns the payload into its class, and refuses a bad one', async () => {
    const [order] = await resolve('undecorated', { pipes: [validation] });
    expect(order).toBeInstanceOf(OrderCreated);
    expect(order).toEqual({ id: 'o-1' });
    await expect(resolve('undecorated', { pipes: [validation], body: { id: 1 } })).rejects.toThrow('Bad Request');
  });

  it('of a parameter come after those of the listener', async () => {
    expect(await resolve('piped')).toEqual([3, context]);
  });

  it('get the class that `payload` names where the build emits no metadata', async () => {
    const [order] = await resolve('untyped', { pipes: [validation], payload: OrderCreated });
    expect(order).toBeInstanceOf(OrderCreated);
  });

  it('check a payload that `payload` names even when no parameter takes it', async () => {
    const given = { pipes: [validation], payload: OrderCreated };
    expect((await resolve('contextOnly', given))[0]).toBe(context);
    await expect(resolve('contextOnly', { ...given, body: {} })).rejects.toThrow('Bad Request');
  });
});

describe('a Standard Schema', () => {
  const schema: StandardSchemaV1 = {
    '~standard': {
      version: 1,
      vendor: 'spec',
      validate: (value) =>
        Promise.resolve(
          (value as { id?: unknown }).id === 'o-1'
            ? { value: { id: 'O-1' } }
            : { issues: [{ message: 'wrong', path: ['id', { key: 0 }] }, { message: 'bad' }] },
        ),
    },
  };

  it('gives the listener what it makes of the payload, and leaves the message alone', async () => {
    const values = await resolve('decorated', { schema });
    expect(values.slice(1, 3)).toEqual([{ id: 'O-1' }, 'O-1']);
    expect(values[4]).toBe(message);
  });

  it('refuses a payload, naming what is wrong with it', async () => {
    const refusal = resolve('undecorated', { schema, body: { id: 'x' } });
    await expect(refusal).rejects.toBeInstanceOf(MqError);
    await expect(refusal).rejects.toMatchObject({
      code: 'MQ_INVALID_PAYLOAD',
      message: 'payload does not match its schema: id.0: wrong; bad',
    });
  });

  it('runs before pipes', async () => {
    const recorder = new Recorder();
    await resolve('undecorated', { schema, pipes: [recorder] });
    expect(recorder.seen[0]![0]).toEqual({ id: 'O-1' });
  });

  it('is told by its first ten issues', async () => {
    const issues = Array.from({ length: 12 }, (_, index) => ({ message: `wrong ${index}` }));
    const strict: StandardSchemaV1 = { '~standard': { version: 1, vendor: 'spec', validate: () => ({ issues }) } };
    await expect(resolve('undecorated', { schema: strict })).rejects.toThrow(/wrong 9; and 2 more$/);
  });
});
