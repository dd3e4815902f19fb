import type { MqContext } from '../consumer/mq-context.js';
import { compose } from './middleware.js';

const context = {} as MqContext;

describe('middleware', () => {
  it('wraps the handler, the first of the list outermost', async () => {
    const calls: string[] = [];
    const trace = (name: string) => async (_: MqContext, next: () => Promise<unknown>) => {
      calls.push(`${name} in`);
      const outcome = await next();
      calls.push(`${name} out`);
      return outcome;
    };
    const handler = compose([trace('a'), trace('b')], async () => void calls.push('handler'));
    await handler(context);
    expect(calls).toEqual(['a in', 'b in', 'handler', 'b out', 'a out']);
  });

  it('may answer in place of the handler, and see what it answered', async () => {
    const handler = compose([async (_, next) => [await next()], async () => 'instead'], async () => {
      throw new Error('must not run');
    });
    expect(await handler(context)).toEqual(['instead']);
  });

  it('lets errors of the handler through', async () => {
    const handler = compose([(_, next) => next()], () => Promise.reject(new Error('down')));
    await expect(handler(context)).rejects.toThrow('down');
  });

  it('cannot run the handler twice', async () => {
    let runs = 0;
    const twice = async (_: MqContext, next: () => Promise<unknown>): Promise<unknown> => {
      await next();
      return next();
    };
    await expect(compose([twice], async () => void runs++)(context)).rejects.toThrow('next() twice');
    expect(runs).toBe(1);
  });

  it('is the handler itself when there is none', () => {
    const handler = async (): Promise<void> => undefined;
    expect(compose([], handler)).toBe(handler);
  });
});
