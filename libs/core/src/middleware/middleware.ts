// Cross-cutting behaviour around a handler.
import type { Handler, Middleware, MqContext } from '../consumer/mq-context.js';

/**
 * One handler out of middleware and handler; the first of the list is the outermost. `next()` may be called at most
 * once per run: a second call is a defect of the middleware and throws, because it would run the handler twice.
 */
export function compose(middleware: readonly Middleware[], handler: Handler): Handler {
  return middleware.reduceRight<Handler>((inner, outer) => wrap(outer, inner), handler);
}

function wrap(outer: Middleware, inner: Handler): Handler {
  return async (context: MqContext) => {
    let called = false;
    return outer(context, async () => {
      if (called) throw new Error(`middleware ${outer.name || '(anonymous)'} called next() twice`);
      called = true;
      return inner(context);
    });
  };
}
