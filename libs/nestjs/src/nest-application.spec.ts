// Real Nest applications on the in-memory broker: the promises of the README, end to end.
import { deadLetter, newMessageId, retryLater, type Mq, type MqContext, type MqEventMap } from '@millrace/core';
import { connectInMemory, type InMemoryPorts } from '@millrace/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  BadRequestException,
  Catch,
  Controller,
  Inject,
  Injectable,
  Scope,
  UseFilters,
  ValidationPipe,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplicationContext,
  type ModuleMetadata,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory, REQUEST } from '@nestjs/core';
import { IsString } from 'class-validator';
import { map } from 'rxjs';
import { getMqProducerToken, getMqToken } from './connection/connection-tokens.js';
import { InjectMqProducer } from './connection/inject.decorator.js';
import { MqRegistrar } from './connection/mq-registrar.js';
import { MqHealth } from './connection/mq.health.js';
import { OnMqEvent } from './events/on-mq-event.decorator.js';
import { isMqContext } from './execution-context.js';
import { MqCtx, MqHeader } from './listener/listener-params.decorator.js';
import { MqListener } from './listener/mq-listener.decorator.js';
import type { MqModuleExtras } from './mq.module-definition.js';
import type { MqModuleOptions } from './mq-module-options.js';
import { MqModule } from './mq.module.js';
import { MqProducer } from './producer/mq-producer.js';

const apps: INestApplicationContext[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

async function start(
  metadata: ModuleMetadata,
  options: MqModuleOptions & MqModuleExtras = {},
): Promise<INestApplicationContext> {
  const imports = [MqModule.forRoot({ ports: connectInMemory(), ...options }), ...(metadata.imports ?? [])];
  class Application {}
  const module = { module: Application, ...metadata, imports };
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  apps.push(app);
  return app;
}

type Fate = 'done' | 'retry' | 'dead-letter' | 'released';

/** Sends one message and waits for how its first delivery ends. */
async function fateOf(
  app: INestApplicationContext,
  topic: string,
  body: unknown = {},
  connection?: string,
): Promise<MqEventMap[Fate] & { fate: Fate }> {
  const mq = app.get<Mq>(getMqToken(connection));
  const messageId = newMessageId();
  const fates = (['done', 'retry', 'dead-letter', 'released'] as const).map(async (fate) => {
    const event = await mq.events.next(fate, (of) => of.messageId === messageId);
    return { ...event, fate };
  });
  await app.get<MqProducer>(getMqProducerToken(connection)).send(topic, body, { messageId, headers: { x: 'X' } });
  return Promise.race(fates);
}

/** Something that a spec waits for. */
function signal<T = void>(): { wait: Promise<T>; give: (value: T) => void } {
  let give!: (value: T) => void;
  return { wait: new Promise<T>((resolve) => (give = resolve)), give };
}

class OrderCreated {
  @IsString() id: string;
}

describe('a listener', () => {
  it('that returns acks, that throws is retried, and says the rest by what it returns', async () => {
    class Orders {
      @MqListener({ topic: 'fine', group: 'g' })
      fine(): string {
        return 'fine';
      }
      @MqListener({ topic: 'broken', group: 'g' })
      broken(): never {
        throw new BadRequestException('an HttpException, too');
      }
      @MqListener({ topic: 'later', group: 'g' })
      later(): unknown {
        return retryLater('7s');
      }
      @MqListener({ topic: 'never', group: 'g' })
      never(): unknown {
        return deadLetter('malformed card');
      }
    }
    const app = await start({ providers: [Orders] });
    expect(await fateOf(app, 'fine')).toMatchObject({ fate: 'done' });
    expect(await fateOf(app, 'broken')).toMatchObject({
      fate: 'retry',
      delayMs: 10_000,
      error: expect.any(BadRequestException),
    });
    expect(await fateOf(app, 'later')).toMatchObject({ fate: 'retry', delayMs: 7_000 });
    expect(await fateOf(app, 'never')).toMatchObject({
      fate: 'dead-letter',
      reason: 'rejected',
      text: 'malformed card',
    });
  });

  it('on a controller consumes', async () => {
    const seen: unknown[] = [];
    @Controller()
    class Web {
      @MqListener({ topic: 'orders', group: 'g' })
      created(order: unknown, context: MqContext): void {
        seen.push(order, context.topic, context.attempt);
      }
    }
    expect((await fateOf(await start({ controllers: [Web] }), 'orders', { id: 'o-1' })).fate).toBe('done');
    expect(seen).toEqual([{ id: 'o-1' }, 'orders', 1]);
  });

  it('that is request-scoped gets a fresh instance per message', async () => {
    const seen: unknown[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Orders {
      constructor(@Inject(REQUEST) readonly request: MqContext) {}
      @MqListener({ topic: 'orders', group: 'g' })
      created(@MqCtx() context: MqContext, @MqHeader('x') x: string): void {
        seen.push(this, this.request === context, x);
      }
    }
    const app = await start({ providers: [Orders] });
    await fateOf(app, 'orders');
    await fateOf(app, 'orders');
    expect(seen).toEqual([expect.any(Orders), true, 'X', expect.any(Orders), true, 'X']);
    expect(seen[0]).not.toBe(seen[3]);
  });

  it('that competes with another one of its group ends the start, with both names', async () => {
    class Orders {
      @MqListener({ topic: 'orders', group: 'g', tags: 'created || paid' })
      some(): void {}
    }
    class Others {
      @MqListener({ topic: 'orders', group: 'g', tags: 'paid' })
      paid(): void {}
    }
    await expect(start({ providers: [Orders, Others] })).rejects.toThrow(/Orders\.some and Others\.paid/);
  });

  it('with a bad option ends the start, with its name', async () => {
    class Orders {
      @MqListener({ topic: 'orders', group: 'g', concurency: 3 } as never)
      created(): void {}
    }
    await expect(start({ providers: [Orders] })).rejects.toThrow(/Orders\.created.*did you mean 'concurrency'/);
  });
});

describe('before a listener is entered', () => {
  class Orders {
    static calls = 0;
    @MqListener({ topic: 'orders', group: 'g' })
    created(_order: OrderCreated): void {
      Orders.calls++;
    }
  }

  it('a DTO rejected by ValidationPipe is dead-lettered at once and the handler never runs', async () => {
    const pipe = { provide: APP_PIPE, useValue: new ValidationPipe({ transform: true }) };
    const app = await start({ providers: [Orders, pipe] });
    expect(await fateOf(app, 'orders', { id: 1 })).toMatchObject({
      fate: 'dead-letter',
      reason: 'invalid',
      attempt: 1,
    });
    expect(Orders.calls).toBe(0);
    expect((await fateOf(app, 'orders', { id: 'o-1' })).fate).toBe('done');
    expect(Orders.calls).toBe(1);
  });

  it('an HTTP APP_GUARD does not break listeners', async () => {
    class HttpGuard implements CanActivate {
      canActivate(execution: ExecutionContext): boolean {
        return execution.switchToHttp().getRequest<Request>().headers.has('authorization');
      }
    }
    const providers = [Orders, { provide: APP_GUARD, useClass: HttpGuard }];
    expect((await fateOf(await start({ providers }), 'orders')).fate).toBe('done');
  });

  it('a global guard runs when the module asks for it, and its refusal is a dead letter', async () => {
    class Refuse implements CanActivate {
      canActivate = (execution: ExecutionContext): boolean => !isMqContext(execution);
    }
    const app = await start(
      { providers: [Orders, { provide: APP_GUARD, useClass: Refuse }] },
      { enhancers: { guards: true } },
    );
    expect(await fateOf(app, 'orders')).toMatchObject({ fate: 'dead-letter', reason: 'invalid' });
  });

  it('global interceptors see listener calls with context type mq', async () => {
    const seen: unknown[] = [];
    class Trace implements NestInterceptor {
      intercept(execution: ExecutionContext, next: CallHandler<unknown>): ReturnType<CallHandler['handle']> {
        seen.push(execution.getType(), execution.getClass(), execution.getHandler());
        return next.handle().pipe(map((data) => ({ data })));
      }
    }
    const app = await start({ providers: [Orders, { provide: APP_INTERCEPTOR, useClass: Trace }] });
    expect((await fateOf(app, 'orders')).fate).toBe('done');
    expect(seen).toEqual(['mq', Orders, Orders.prototype.created]);
  });
});

describe('exception filters', () => {
  @Catch()
  class Swallow implements ExceptionFilter {
    static readonly seen: unknown[] = [];
    catch(error: Error): string {
      Swallow.seen.push(error.message);
      return 'handled';
    }
  }
  class Orders {
    @UseFilters(Swallow)
    @MqListener({ topic: 'own', group: 'g' })
    own(): never {
      throw new Error('own');
    }
    @MqListener({ topic: 'global', group: 'g' })
    global(): never {
      throw new Error('global');
    }
  }
  const providers = [Orders, { provide: APP_FILTER, useClass: Swallow }];

  it('an exception filter that swallows an error does not turn a failure into an ack', async () => {
    const app = await start({ providers });
    expect((await fateOf(app, 'own')).fate).toBe('retry');
    expect((await fateOf(app, 'global')).fate).toBe('retry');
    expect(Swallow.seen.splice(0)).toEqual(['own']);
  });

  it('global ones observe listeners when the module asks for it', async () => {
    const app = await start({ providers }, { enhancers: { filters: true } });
    expect((await fateOf(app, 'global')).fate).toBe('retry');
    expect(Swallow.seen.splice(0)).toEqual(['global']);
  });
});

describe('the end of an application', () => {
  it('app.close() waits for the running handler and its follow-up send still works', async () => {
    const [entered, release] = [signal(), signal()];
    const order: string[] = [];
    @Injectable()
    class Orders {
      constructor(private readonly producer: MqProducer) {}
      @MqListener({ topic: 'orders', group: 'g' })
      async created(): Promise<void> {
        entered.give();
        await release.wait;
        await this.producer.send('follow-up', 'sent while closing');
        order.push('sent');
      }
    }
    const ports = connectInMemory();
    const app = await start({ providers: [Orders] }, { ports });
    const fate = fateOf(app, 'orders');
    await entered.wait;
    const closing = app.close().then(() => order.push('closed'));
    release.give();
    await closing;
    expect(order).toEqual(['sent', 'closed']);
    expect((await fate).fate).toBe('done');
    const admin = connectInMemory({ store: ports.store }).admin;
    expect(await admin.stats('follow-up')).toMatchObject({ accepted: 1 });
  });

  it('closes its ports, also when it was never initialised', async () => {
    const ports = connectInMemory();
    await (await start({}, { ports })).close();
    await expect(ports.broker.trim('orders')).rejects.toMatchObject({ code: 'MQ_CLOSED' });
  });
});

describe('consumers: false', () => {
  it('consumes nothing until the registrar is told to, while sending and promoting work', async () => {
    const seen: unknown[] = [];
    class Orders {
      @MqListener({ topic: 'orders', group: 'g' })
      created(order: unknown): void {
        seen.push(order);
      }
    }
    const app = await start({ providers: [Orders] }, { consumers: false, topics: [{ topic: 'orders' }] });
    expect(app.get(MqHealth).check()).toMatchObject({ status: 'up', consuming: false });
    await app.get(MqProducer).send('orders', 'waiting', { delay: 1 });
    const loops = app
      .get(MqHealth)
      .check()
      .loops.map(({ loop }) => loop);
    expect(loops.some((loop) => loop.includes('promote'))).toBe(true);
    const mq = app.get<Mq>(getMqToken());
    const done = mq.events.next('done');
    expect(seen).toEqual([]);
    await app.get(MqRegistrar).start();
    await done;
    expect(seen).toEqual(['waiting']);
    await app.get(MqRegistrar).stop();
    expect(app.get(MqRegistrar).isRunning).toBe(false);
    const again = mq.events.next('done');
    await app.get(MqProducer).send('orders', 'later');
    await app.get(MqRegistrar).start();
    await again;
    expect(seen).toEqual(['waiting', 'later']);
  });
});

describe('several connections', () => {
  const seen: unknown[] = [];
  const heard: string[] = [];
  @Injectable()
  class Orders {
    constructor(@InjectMqProducer('reports') readonly reports: MqProducer) {}
    @MqListener({ topic: 'orders', group: 'g' })
    created(order: unknown): void {
      seen.push(['default', order]);
    }
    @OnMqEvent('done')
    done({ messageId }: MqEventMap['done']): void {
      heard.push(messageId);
    }
    @MqListener({ topic: 'orders', group: 'g', connection: 'reports' })
    reported(order: unknown): void {
      seen.push(['reports', order]);
    }
  }

  it('in one application each have their own listeners, producer, events and topics', async () => {
    const ports = connectInMemory();
    const imports = [
      MqModule.forRoot({ ports, name: 'reports' }),
      MqModule.forFeature([{ topic: 'orders', queues: 2 }], 'reports'),
    ];
    const app = await start({ imports, providers: [Orders] });
    const first = await fateOf(app, 'orders', 1);
    expect(first.fate).toBe('done');
    expect((await fateOf(app, 'orders', 2, 'reports')).fate).toBe('done');
    expect(heard).toEqual([first.messageId]);
    expect((await ports.admin.topic('orders'))?.queues).toBe(2);
    expect((await app.get<Mq>(getMqToken()).admin.topic('orders'))?.queues).toBe(4);
    expect(seen.splice(0)).toEqual([
      ['default', 1],
      ['reports', 2],
    ]);
  });

  it('two modules in one process do not interfere', async () => {
    class Mine {
      readonly seen: unknown[] = [];
      @MqListener({ topic: 'orders', group: 'g' })
      created(order: unknown): void {
        this.seen.push(order);
      }
    }
    const ports: [InMemoryPorts, InMemoryPorts] = [connectInMemory(), connectInMemory()];
    const [first, second] = await Promise.all(ports.map((own) => start({ providers: [Mine] }, { ports: own })));
    await fateOf(first!, 'orders', 1);
    await first!.close();
    expect((await fateOf(second!, 'orders', 2)).fate).toBe('done');
    expect([first!, second!].map((app) => app.get(Mine).seen)).toEqual([[1], [2]]);
  });
});
