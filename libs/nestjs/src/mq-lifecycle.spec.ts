import {
  InvalidOptionError,
  MqEvents,
  type BrokerPorts,
  type Handler,
  type ListenerOptions,
  type TopicOptions,
} from '@millrace/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Module, type ModuleMetadata, type OnModuleInit } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { getMqToken } from './connection/connection-tokens.js';
import { InjectMq } from './connection/inject.decorator.js';
import { MqRegistrar } from './connection/mq-registrar.js';
import { OnMqEvent } from './events/on-mq-event.decorator.js';
import { MqListener } from './listener/mq-listener.decorator.js';
import type { MqModuleOptions } from './mq-module-options.js';
import { MqModule } from './mq.module.js';

/** Notes what the module asks of it, in order. */
class RecordingMq {
  readonly events = new MqEvents();
  readonly asked: string[] = [];
  failStart?: Error;
  listen = (options: ListenerOptions, _handler: Handler): number => this.asked.push(`listen ${options.topic}`);
  declareTopic = (options: TopicOptions): number => this.asked.push(`declare ${options.topic}`);
  start = (): Promise<void> => this.note('start', this.failStart);
  stopConsuming = (): Promise<void> => this.note('stopConsuming');
  close = (): Promise<void> => this.note('close');

  private note(what: string, failure?: Error): Promise<void> {
    this.asked.push(what);
    return failure ? Promise.reject(failure) : Promise.resolve();
  }
}

let app: TestingModule | undefined;
afterEach(async () => {
  // After a failed start Nest 11 repeats its error here.
  await app?.close().catch(() => undefined);
  app = undefined;
});

class Orders {
  @MqListener({ topic: 'orders', group: 'spec' })
  created(): void {}
}

async function compile(
  mq: RecordingMq,
  metadata: ModuleMetadata,
  options: MqModuleOptions = {},
): Promise<TestingModule> {
  const imports = [MqModule.forRoot({ connection: 'redis://unused', ...options }), ...(metadata.imports ?? [])];
  const builder = Test.createTestingModule({ ...metadata, imports });
  return (app = await builder.overrideProvider(getMqToken()).useValue(mq).compile());
}

describe('the life of a connection', () => {
  it('begins at bootstrap, stops consuming before the application shuts down, and closes when it has', async () => {
    const mq = new RecordingMq();
    const order = mq.asked;
    class Neighbour {
      onApplicationBootstrap = (): number => order.push('neighbour starts');
      beforeApplicationShutdown = (): number => order.push('neighbour prepares');
      onApplicationShutdown = (): number => order.push('neighbour ends');
    }
    await compile(mq, { providers: [Orders, Neighbour] });
    expect(order).toEqual([]);
    await app!.init();
    expect(order.filter((what) => !what.startsWith('neighbour'))).toEqual(['stopConsuming', 'listen orders', 'start']);
    order.length = 0;
    await app!.close();
    expect(order).toEqual(['neighbour prepares', 'stopConsuming', 'neighbour ends', 'close']);
  });

  it('ends with app.close() also when the application was never initialised', async () => {
    const mq = new RecordingMq();
    await (await compile(mq, { providers: [Orders] })).close();
    expect(mq.asked.at(-1)).toBe('close');
    expect(mq.asked).not.toContain('start');
  });

  it('a failed start closes the connection, for nobody else could', async () => {
    const mq = new RecordingMq();
    mq.failStart = new Error('no such server');
    await compile(mq, { providers: [Orders] });
    await expect(app!.init()).rejects.toBe(mq.failStart);
    expect(mq.asked).toEqual(['stopConsuming', 'listen orders', 'start', 'close']);
    expect(app!.get(MqRegistrar).isRunning).toBe(false);
  });
});

describe('consumers: false', () => {
  it('registers no listener, and still starts, so that topics are declared and looked after', async () => {
    const mq = new RecordingMq();
    await (await compile(mq, { providers: [Orders] }, { consumers: false })).init();
    expect(mq.asked).toEqual(['start']);
  });

  it('the registrar begins to consume when it is told, and stops', async () => {
    const mq = new RecordingMq();
    await (await compile(mq, { providers: [Orders] }, { consumers: false })).init();
    const registrar = app!.get(MqRegistrar);
    expect(registrar.isRunning).toBe(false);
    await registrar.start();
    expect(registrar.isRunning).toBe(true);
    await registrar.stop();
    expect(registrar.isRunning).toBe(false);
    await registrar.start();
    expect(mq.asked).toEqual(['start', 'stopConsuming', 'listen orders', 'start', 'stopConsuming', 'start']);
  });
});

describe('forFeature', () => {
  it('declares topics before the first provider is initialised, however often it is imported', async () => {
    const mq = new RecordingMq();
    class Early implements OnModuleInit {
      constructor(@InjectMq() private readonly connection: RecordingMq) {}
      onModuleInit(): void {
        this.connection.asked.push('early');
      }
    }
    @Module({ imports: [MqModule.forFeature([{ topic: 'orders', queues: 8 }])], providers: [Early] })
    class OrdersModule {}
    @Module({ imports: [MqModule.forFeature([{ topic: 'orders', queues: 8 }, { topic: 'bills' }])] })
    class BillsModule {}
    await (await compile(mq, { imports: [OrdersModule, BillsModule] })).init();
    expect(mq.asked.filter((what) => what === 'declare orders')).toHaveLength(2);
    expect(mq.asked.indexOf('early')).toBeGreaterThan(mq.asked.indexOf('declare bills'));
  });
});

describe('connection names', () => {
  class Reports {
    @MqListener({ topic: 'orders', group: 'spec', connection: 'reprots' })
    created(): void {}
  }
  class Alarms {
    @OnMqEvent('dead-letter', { connection: 'reprots' })
    alarm(): void {}
  }
  const ports = { broker: {}, leases: {}, control: {}, admin: {} } as unknown as BrokerPorts;

  it.each([
    ['a listener', { providers: [Reports] }, /reprots|Reports\.created/],
    ['an event method', { providers: [Alarms] }, /Alarms\.alarm/],
    ['a feature', { imports: [MqModule.forFeature([], 'reprots')] }, /forFeature/],
  ])('%s of a connection that does not exist ends the start, listing the known ones', async (_what, metadata, who) => {
    await compile(new RecordingMq(), metadata);
    const failed = app!.init();
    await expect(failed).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(failed).rejects.toThrow(who);
    await expect(failed).rejects.toThrow('known: default');
  });

  it('two connections of one name end the start', async () => {
    await compile(new RecordingMq(), { imports: [MqModule.forRoot({ ports })] });
    await expect(app!.init()).rejects.toThrow(/MqModule\.name.*two MqModule\.forRoot/);
  });
});
