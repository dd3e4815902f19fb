import { deadLetter, InvalidMessageError, retryLater, type MqContext } from '@millrace/core';
import { describe, expect, it, jest } from '@jest/globals';
import {
  BadRequestException,
  ForbiddenException,
  Logger,
  type ArgumentsHost,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ExternalExceptionsHandler } from '@nestjs/core/exceptions/external-exceptions-handler.js';
import { catchError, EMPTY, map, of, retry, throwError, type Observable } from 'rxjs';
import { ListenerArguments } from './listener-arguments.js';
import { ListenerPipeline } from './listener-pipeline.js';
import type { Enhancers } from './nest-enhancers.js';

const context = { message: { body: { id: 'o-1' }, headers: {} }, topic: 'orders' } as unknown as MqContext;

type Listener = (...args: unknown[]) => unknown;
type Parts = Partial<Pick<Enhancers, 'guards' | 'interceptors' | 'pipes'>> & {
  filter?: (error: unknown, host: ArgumentsHost) => unknown;
};

class Orders {
  handle: Listener;
}

/** One call of a listener with these enhancers around it. */
function call(
  listener: Listener,
  { guards = [], interceptors = [], pipes = [], filter }: Parts = {},
): Promise<unknown> {
  const instance = Object.assign(new Orders(), { handle: listener });
  const filters = new ExternalExceptionsHandler();
  if (filter) filters.setCustomFilters([{ func: filter, exceptionMetatypes: [] }]);
  const enhancers: Enhancers = { guards, interceptors, pipes, filters, pipesOf: () => [] };
  const host = { instance: instance as never, method: listener, methodName: 'handle', moduleKey: '' };
  const args = new ListenerArguments(Orders.prototype, 'handle', {}, enhancers);
  return new ListenerPipeline(host, enhancers, args, 'Orders.handle').handle(context);
}

function interceptor(
  around: (next: Observable<unknown>, execution: ExecutionContext) => Observable<unknown>,
): NestInterceptor {
  return { intercept: (execution: ExecutionContext, next: CallHandler<unknown>) => around(next.handle(), execution) };
}

/** The response envelope of Nest's documentation, which many applications have as a global interceptor. */
const envelope = interceptor((next) => next.pipe(map((data) => ({ data }))));
const swallow = interceptor((next) => next.pipe(catchError(() => of({ ok: false }))));
const noSuchCard = new BadRequestException('no such card');

/** What filters made for HTTP do to a listener's context. */
function httpFilter(): never {
  throw new TypeError('response.status is not a function');
}

function rethrow(failure: unknown): never {
  throw failure;
}

describe('before the listener', () => {
  it('a guard that refuses makes the message invalid, and the listener never runs', async () => {
    const listener = jest.fn();
    const refused = call(listener, { guards: [{ canActivate: () => false }] });
    await expect(refused).rejects.toMatchObject({
      constructor: InvalidMessageError,
      cause: expect.any(ForbiddenException),
    });
    expect(listener).not.toHaveBeenCalled();
  });

  it('a guard that throws makes the message invalid', async () => {
    const guards = [{ canActivate: () => Promise.reject(new Error('no token')) }];
    await expect(call(jest.fn(), { guards })).rejects.toEqual(new InvalidMessageError(new Error('no token')));
  });

  it('a guard may answer with an Observable', async () => {
    const listener = jest.fn();
    await call(listener, { guards: [{ canActivate: () => of(true) }] });
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('a pipe that throws makes the message invalid, and the listener never runs', async () => {
    const listener = jest.fn();
    const pipes = [{ transform: () => Promise.reject(noSuchCard) }];
    await expect(call(listener, { pipes })).rejects.toMatchObject({
      constructor: InvalidMessageError,
      cause: noSuchCard,
    });
    expect(listener).not.toHaveBeenCalled();
  });

  it('an interceptor that translates a refusal does not make it retriable', async () => {
    const pipes = [{ transform: () => Promise.reject(noSuchCard) }];
    const translate = interceptor((next) => next.pipe(catchError(() => throwError(() => new Error('translated')))));
    await expect(call(jest.fn(), { pipes, interceptors: [translate] })).rejects.toBeInstanceOf(InvalidMessageError);
  });

  it('an interceptor that fails before the listener is a failure to be retried', async () => {
    const down = new Error('database is down');
    const listener = jest.fn();
    await expect(call(listener, { interceptors: [interceptor(() => throwError(() => down))] })).rejects.toBe(down);
    expect(listener).not.toHaveBeenCalled();
  });

  it('guards run first, then interceptors, pipes and the listener', async () => {
    const order: string[] = [];
    const note = (what: string) => () => order.push(what) > 0;
    await call(note('listener'), {
      guards: [{ canActivate: note('guard') }],
      interceptors: [interceptor((next) => (order.push('interceptor'), next))],
      pipes: [{ transform: note('pipe') }],
    });
    expect(order).toEqual(['guard', 'interceptor', 'pipe', 'listener']);
  });

  it("guards and interceptors see the payload, the context and the type 'mq'", async () => {
    const seen: unknown[] = [];
    const look = (execution: ExecutionContext): boolean =>
      seen.push(execution.getType<string>(), ...execution.getArgs()) > 0;
    await call(jest.fn(), {
      guards: [{ canActivate: look }],
      interceptors: [interceptor((next, execution) => (look(execution), next))],
    });
    expect(seen).toEqual(['mq', { id: 'o-1' }, context, 'mq', { id: 'o-1' }, context]);
  });
});

describe('what the listener throws', () => {
  it('is the failure as it is, even when it is an HttpException', async () => {
    await expect(call(() => Promise.reject(noSuchCard))).rejects.toBe(noSuchCard);
    await expect(call(() => throwError(() => noSuchCard))).rejects.toBe(noSuchCard);
  });

  it('an exception filter that swallows an error does not turn a failure into an ack', async () => {
    const filter = jest.fn((_error: unknown, _host: ArgumentsHost) => 'handled');
    await expect(call(() => Promise.reject(noSuchCard), { filter })).rejects.toBe(noSuchCard);
    expect(filter).toHaveBeenCalledWith(noSuchCard, expect.anything());
    expect(filter.mock.calls[0]![1].getType<string>()).toBe('mq');
  });

  it('a filter sees the reason of a refusal, not its wrapping', async () => {
    const filter = jest.fn();
    await expect(call(jest.fn(), { filter, pipes: [{ transform: () => Promise.reject(noSuchCard) }] })).rejects.toThrow(
      'no such card',
    );
    expect(filter).toHaveBeenCalledWith(noSuchCard, expect.anything());
  });

  it('a filter that fails is logged, and the original error still decides', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await expect(call(() => Promise.reject(noSuchCard), { filter: httpFilter })).rejects.toBe(noSuchCard);
    expect(log).toHaveBeenCalledWith(expect.stringContaining('Orders.handle'), expect.any(String));
    log.mockClear();
    await expect(call(() => Promise.reject(noSuchCard), { filter: rethrow })).rejects.toBe(noSuchCard);
    expect(log).not.toHaveBeenCalled();
    log.mockRestore();
  });

  it('an interceptor that swallows an error does not turn a failure into an ack', async () => {
    await expect(call(() => Promise.reject(noSuchCard), { interceptors: [swallow] })).rejects.toBe(noSuchCard);
  });

  it('an interceptor that translates an error does not replace it: noRetry goes by what the listener threw', async () => {
    const translate = interceptor((next) => next.pipe(catchError(() => throwError(() => new Error('502')))));
    await expect(call(() => Promise.reject(noSuchCard), { interceptors: [translate] })).rejects.toBe(noSuchCard);
  });

  it('an interceptor may answer a failure with an outcome', async () => {
    const reject = interceptor((next) => next.pipe(catchError(() => of(deadLetter('no such card')))));
    expect(await call(() => Promise.reject(noSuchCard), { interceptors: [reject] })).toEqual(
      deadLetter('no such card'),
    );
  });

  it('an interceptor may run the listener again, and the last run counts', async () => {
    let runs = 0;
    const flaky = (): Promise<unknown> => (runs++ === 0 ? Promise.reject(noSuchCard) : Promise.resolve('fine'));
    expect(await call(flaky, { interceptors: [interceptor((next) => next.pipe(retry(1)))] })).toBe('fine');
    expect(runs).toBe(2);
  });

  it('an interceptor may fail a message that the listener handled', async () => {
    const late = new Error('commit failed');
    const commit = interceptor((next) =>
      next.pipe(
        map(() => {
          throw late;
        }),
      ),
    );
    await expect(call(() => 'fine', { interceptors: [commit] })).rejects.toBe(late);
  });
});

describe('what the listener returns', () => {
  it('an outcome passes through interceptors unchanged, even through those that wrap every result', async () => {
    for (const outcome of [retryLater('30s'), deadLetter('malformed')])
      expect(await call(() => outcome, { interceptors: [envelope, swallow] })).toBe(outcome);
  });

  it('anything else is the result of the interceptors', async () => {
    expect(await call(() => 'fine', { interceptors: [envelope] })).toEqual({ data: 'fine' });
  });

  it('an Observable counts by its last value, and an empty one is done', async () => {
    expect(await call(() => of(1, retryLater(5)))).toEqual(retryLater(5));
    expect(await call(() => EMPTY)).toBeUndefined();
    expect(await call(() => EMPTY, { interceptors: [envelope] })).toEqual({ data: undefined });
  });
});
