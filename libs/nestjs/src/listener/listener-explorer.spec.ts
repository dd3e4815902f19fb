import { compose, InvalidMessageError, InvalidOptionError, type ListenerOptions, type MqContext } from '@millrace/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Injectable,
  Module,
  Scope,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type ModuleMetadata,
} from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { MqModuleOptions } from '../mq-module-options.js';
import { MqModule } from '../mq.module.js';
import { ListenerExplorer, type FoundListener } from './listener-explorer.js';
import { MqListener } from './mq-listener.decorator.js';

let app: TestingModule | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

/** The listeners of an application, as the engine would be given them. */
async function explore(metadata: ModuleMetadata, options: MqModuleOptions = {}): Promise<FoundListener[]> {
  const imports = [MqModule.forRoot({ connection: 'redis://unused', ...options }), ...(metadata.imports ?? [])];
  app = await Test.createTestingModule({ ...metadata, imports }).compile();
  return app.get(ListenerExplorer).explore();
}

/** Calls the listener of this topic, its own middleware included. */
function deliver(listeners: readonly FoundListener[], topic: string, body: unknown = {}): Promise<unknown> {
  const { handler, middleware } = listeners.find(({ options }) => options.topic === topic)!;
  return compose(middleware, handler)({ topic, message: { body, headers: {} } } as unknown as MqContext);
}

const of = (topic: string): ListenerOptions => ({ topic, group: 'spec' });

/** As a tracing library does it. */
const traced: MethodDecorator = (_target, _method, descriptor) => {
  const original = descriptor.value as unknown as () => unknown;
  descriptor.value = function (this: unknown) {
    return original.call(this);
  } as never;
};

const replace: MethodDecorator = (_target, _method, descriptor) => {
  descriptor.value = (() => undefined) as never;
};

describe('discovery', () => {
  it('finds listeners on providers and controllers, several per class and several decorators per method', async () => {
    class Orders {
      @MqListener(of('created'))
      @MqListener(of('imported'))
      created(): void {}
      @MqListener(of('paid'))
      paid(): void {}
    }
    @Controller()
    class Web {
      @MqListener(of('clicked'))
      clicked(): void {}
    }
    const found = await explore({ providers: [Orders], controllers: [Web] });
    expect(found.map(({ name }) => name)).toEqual(['Orders.created', 'Orders.created', 'Orders.paid', 'Web.clicked']);
    expect(found.map(({ options }) => options.topic)).toEqual(['created', 'imported', 'paid', 'clicked']);
  });

  it('an instance that is provided under several tokens listens once', async () => {
    class Orders {
      @MqListener(of('created'))
      created(): void {}
    }
    const again = { provide: 'Again', useFactory: (orders: Orders) => orders, inject: [Orders] };
    const found = await explore({ providers: [Orders, { provide: 'Alias', useExisting: Orders }, again] });
    expect(found.map(({ name }) => name)).toEqual(['Orders.created']);
  });

  it.each([
    ['request-scoped', Scope.REQUEST],
    ['transient', Scope.TRANSIENT],
  ])('an alias of a %s listener does not listen a second time', async (_which, scope) => {
    @Injectable({ scope })
    class Orders {
      @MqListener(of('created'))
      created(): void {}
    }
    const found = await explore({ providers: [Orders, { provide: 'Alias', useExisting: Orders }] });
    expect(found.map(({ name }) => name)).toEqual(['Orders.created']);
  });

  it('calls the instance of the container, whatever another decorator made of the method', async () => {
    class Orders {
      readonly name = 'instance';
      @traced
      @MqListener(of('created'))
      created(): string {
        return this.name;
      }
    }
    expect(await deliver(await explore({ providers: [Orders] }), 'created')).toBe('instance');
  });

  it('an inherited listener listens, an override without the decorator does not', async () => {
    class Base {
      @MqListener(of('created'))
      created(): void {}
      @MqListener(of('paid'))
      paid(): void {}
    }
    class Orders extends Base {
      override paid(): void {}
    }
    expect((await explore({ providers: [Orders] })).map(({ name }) => name)).toEqual(['Orders.created']);
  });

  it('a class that two modules provide ends the start, for it would listen twice', async () => {
    class Orders {
      @MqListener(of('created'))
      created(): void {}
    }
    @Module({ providers: [Orders] })
    class OrdersModule {}
    @Module({ providers: [Orders] })
    class BillsModule {}
    const failed = explore({ imports: [OrdersModule, BillsModule] });
    await expect(failed).rejects.toThrow(/Orders\.created: is provided by two modules.*OrdersModule and BillsModule/);
  });

  it('a decorator where no listener can be found is refused at once', () => {
    const decorate = MqListener(of('created'));
    expect(() => decorate(class {}, 'handle', {})).toThrow(InvalidOptionError);
    expect(() => decorate({}, Symbol('handle'), {})).toThrow(InvalidOptionError);
  });
});

describe('options by name', () => {
  class Billing {
    @MqListener('billing')
    bill(): void {}
  }

  it("come from the module's `listeners`", async () => {
    const billing = { topic: 'orders', group: 'billing', concurrency: 3 };
    const [found] = await explore({ providers: [Billing] }, { listeners: { billing } });
    expect(found!.options).toEqual(billing);
  });

  it('an unknown name ends the start, listing the known ones', async () => {
    const listeners = { shipping: of('orders'), invoices: of('orders') };
    const failed = explore({ providers: [Billing] }, { listeners });
    await expect(failed).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(failed).rejects.toThrow(/Billing\.bill.*known: shipping, invoices.*"billing"/);
  });
});

describe('guards given as classes', () => {
  @Injectable()
  class Allowed {
    readonly ids = ['o-1'];
  }
  @Injectable()
  class OnlyAllowed implements CanActivate {
    constructor(private readonly allowed: Allowed) {}
    canActivate(execution: ExecutionContext): boolean {
      return this.allowed.ids.includes(execution.switchToRpc().getData<{ id: string }>().id);
    }
  }

  it('guard listeners of providers and of controllers, with their dependencies', async () => {
    class Paid {
      @UseGuards(OnlyAllowed)
      @MqListener(of('paid'))
      paid(): string {
        return 'paid';
      }
    }
    @UseGuards(OnlyAllowed)
    @Controller()
    class Web {
      @MqListener(of('clicked'))
      clicked(): string {
        return 'clicked';
      }
    }
    const found = await explore({ providers: [Allowed, Paid], controllers: [Web] });
    for (const topic of ['paid', 'clicked']) {
      expect(await deliver(found, topic, { id: 'o-1' })).toBe(topic);
      await expect(deliver(found, topic, { id: 'o-2' })).rejects.toBeInstanceOf(InvalidMessageError);
    }
  });

  it('may be transient: each listener has its own, with its dependencies', async () => {
    const guards = new Set<unknown>();
    @Injectable({ scope: Scope.TRANSIENT })
    class Own extends OnlyAllowed {
      override canActivate(execution: ExecutionContext): boolean {
        guards.add(this);
        return super.canActivate(execution);
      }
    }
    class Orders {
      @UseGuards(Own)
      @MqListener(of('created'))
      created(): void {}
    }
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      @UseGuards(Own)
      @MqListener(of('paid'))
      paid(): void {}
    }
    const found = await explore({ providers: [Allowed, Orders, Scoped] });
    for (const topic of ['created', 'created', 'paid', 'paid']) await deliver(found, topic, { id: 'o-1' });
    expect(guards.size).toBe(3);
  });

  it('that Nest did not instantiate end the start instead of being skipped', async () => {
    class Orders {
      @UseGuards(OnlyAllowed)
      @MqListener(of('created'))
      created(): void {}
    }
    const providers = [{ provide: 'Orders', useFactory: () => new Orders() }];
    await expect(explore({ providers })).rejects.toThrow(/Orders\.created: @UseGuards.*not instantiated/);
  });

  it('that a later decorator dropped end the start instead of being skipped', async () => {
    class Orders {
      @replace
      @UseGuards(OnlyAllowed)
      @MqListener(of('created'))
      created(): void {}
    }
    await expect(explore({ providers: [Allowed, Orders] })).rejects.toThrow(/Orders\.created: @UseGuards.*is lost/);
  });
});

describe('bad declarations end the start', () => {
  it('a payload that is no class, a schema that is none, a parameter of another transport', async () => {
    class Payload {
      @MqListener({ ...of('created'), payload: 'Order' as never })
      created(): void {}
    }
    class Schema {
      @MqListener({ ...of('created'), schema: { parse: () => 1 } as never })
      created(): void {}
    }
    class Http {
      @MqListener(of('created'))
      created(@Body() _body: unknown): void {}
    }
    await expect(explore({ providers: [Payload] })).rejects.toThrow(/Payload\.created: payload/);
    await expect(explore({ providers: [Schema] })).rejects.toThrow(/Schema\.created: schema/);
    await expect(explore({ providers: [Http] })).rejects.toThrow(/Http\.created: parameter 0.*another transport/);
  });
});
