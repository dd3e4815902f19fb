import { compose, deadLetter, type ListenerOptions, type MqContext } from '@millrace/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Inject,
  Injectable,
  Scope,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type ModuleMetadata,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, ContextIdFactory, REQUEST } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MqModule } from '../mq.module.js';
import { ListenerExplorer, type FoundListener } from './listener-explorer.js';
import { MqListener } from './mq-listener.decorator.js';
import { UseMqMiddleware, type MqListenerMiddleware } from './use-mq-middleware.decorator.js';

let app: TestingModule | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

/** The listeners of an application, as the engine would be given them. */
async function explore(metadata: ModuleMetadata): Promise<FoundListener[]> {
  const imports = [MqModule.forRoot({ connection: 'redis://unused' }), ...(metadata.imports ?? [])];
  app = await Test.createTestingModule({ ...metadata, imports }).compile();
  return app.get(ListenerExplorer).explore();
}

/** Calls the listener of this topic, its own middleware included. */
function deliver(listeners: readonly FoundListener[], topic: string, body: unknown = {}): Promise<unknown> {
  const { handler, middleware } = listeners.find(({ options }) => options.topic === topic)!;
  return compose(middleware, handler)({ topic, message: { body, headers: {} } } as unknown as MqContext);
}

const of = (topic: string): ListenerOptions => ({ topic, group: 'spec' });

describe('request-scoped classes', () => {
  it('request-scoped listeners get a fresh instance per message, with its context as REQUEST', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {
      constructor(@Inject(REQUEST) readonly context: MqContext) {}
    }
    const instances: Orders[] = [];
    @Injectable()
    class Orders {
      constructor(readonly tenant: Tenant) {}
      @MqListener(of('created'))
      created(_body: unknown, context: MqContext): boolean {
        instances.push(this);
        return this.tenant.context === context;
      }
    }
    const found = await explore({ providers: [Orders, Tenant] });
    expect(await deliver(found, 'created')).toBe(true);
    expect(await deliver(found, 'created')).toBe(true);
    expect(instances[0]).toBeInstanceOf(Orders);
    expect(instances[0]).not.toBe(instances[1]);
  });

  it('controllers and transient classes too', async () => {
    const seen = new Set<unknown>();
    @Controller({ scope: Scope.REQUEST })
    class Web {
      @MqListener(of('clicked'))
      clicked(): void {
        seen.add(this);
      }
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class Orders {
      readonly made = true;
      @MqListener(of('created'))
      created(): void {
        if (this.made) seen.add(this);
      }
    }
    const found = await explore({ providers: [Orders], controllers: [Web] });
    for (const topic of ['clicked', 'clicked', 'created', 'created']) await deliver(found, topic);
    expect(seen.size).toBe(4);
  });

  it('instances of a message can be collected when it is done', async () => {
    const instances: WeakRef<Orders>[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Orders {
      @MqListener(of('created'))
      created(): void {
        instances.push(new WeakRef(this));
      }
    }
    const found = await explore({ providers: [Orders] });
    for (let message = 0; message < 20; message++) await deliver(found, 'created');
    setFlagsFromString('--expose-gc');
    // Garbage of finished promises may keep the latest instance for a while, never the earlier ones.
    await (runInNewContext('gc') as (options: object) => Promise<void>)({ type: 'major', execution: 'async' });
    expect(instances.filter((instance) => instance.deref() !== undefined).length).toBeLessThanOrEqual(1);
  });

  it('durable ones are made once per tenant', async () => {
    const made: unknown[] = [];
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Tenant {
      constructor(@Inject(REQUEST) readonly tenant: { name: string }) {
        made.push(tenant);
      }
    }
    @Injectable()
    class Orders {
      constructor(readonly tenant: Tenant) {}
      @MqListener(of('created'))
      created(): string {
        return this.tenant.tenant.name;
      }
    }
    const tenants = new Map<string, { id: number }>();
    ContextIdFactory.apply({
      attach: (contextId, context: MqContext<string>) => {
        const name = context.message.body;
        if (!tenants.has(name)) tenants.set(name, { id: tenants.size });
        return { resolve: (info) => (info.isTreeDurable ? tenants.get(name)! : contextId), payload: { name } };
      },
    });
    try {
      const found = await explore({ providers: [Orders, Tenant] });
      for (const tenant of ['a', 'b', 'a']) expect(await deliver(found, 'created', tenant)).toBe(tenant);
      expect(made).toEqual([{ name: 'a' }, { name: 'b' }]);
    } finally {
      ContextIdFactory.apply(undefined as never);
    }
  });

  it('request-scoped global interceptors see listeners, request-scoped global guards are not run', async () => {
    const seen: unknown[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Trace implements NestInterceptor {
      constructor(@Inject(REQUEST) private readonly context: MqContext) {}
      intercept(_execution: ExecutionContext, next: CallHandler<unknown>): ReturnType<CallHandler<unknown>['handle']> {
        seen.push(this.context.topic);
        return next.handle();
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class HttpGuard implements CanActivate {
      canActivate = (execution: ExecutionContext): boolean =>
        execution.switchToHttp().getRequest<Request>().headers.has('x');
    }
    class Orders {
      @MqListener(of('created'))
      created(): string {
        return 'created';
      }
    }
    const globals = [
      { provide: APP_INTERCEPTOR, useClass: Trace },
      { provide: APP_GUARD, useClass: HttpGuard },
    ];
    expect(await deliver(await explore({ providers: [Orders, ...globals] }), 'created')).toBe('created');
    expect(seen).toEqual(['created']);
  });
});

describe('@UseMqMiddleware', () => {
  const order: string[] = [];
  const note =
    (what: string) =>
    async (_context: MqContext, next: () => Promise<unknown>): Promise<unknown> => {
      order.push(what);
      return next();
    };

  it('wraps a listener in source order, the middleware of its class outermost', async () => {
    @Injectable()
    class Inbox implements MqListenerMiddleware {
      private readonly what = 'inbox';
      async handle(_context: MqContext, next: () => Promise<unknown>): Promise<unknown> {
        order.push(this.what);
        return next();
      }
    }
    @UseMqMiddleware(note('class'))
    class Orders {
      @MqListener(of('created'))
      @UseMqMiddleware(note('first'), 'second')
      @UseMqMiddleware(Inbox)
      created(): void {
        order.push('listener');
      }
      @MqListener(of('paid'))
      @UseMqMiddleware(() => Promise.resolve(deadLetter('closed')))
      paid(): void {}
    }
    const second = { provide: 'second', useValue: { handle: note('second') } };
    const found = await explore({ providers: [Orders, Inbox, second] });
    await deliver(found, 'created');
    expect(order).toEqual(['class', 'first', 'second', 'inbox', 'listener']);
    expect(await deliver(found, 'paid')).toEqual(deadLetter('closed'));
  });

  it('that is not provided, or is no middleware, ends the start', async () => {
    class Missing {
      @MqListener(of('created'))
      @UseMqMiddleware('inbox')
      created(): void {}
    }
    await expect(explore({ providers: [Missing] })).rejects.toThrow(
      /Missing\.created: @UseMqMiddleware.*cannot be injected/,
    );
    const inbox = { provide: 'inbox', useValue: {} };
    await expect(explore({ providers: [Missing, inbox] })).rejects.toThrow(/Missing\.created.*handle method/);
  });
});
