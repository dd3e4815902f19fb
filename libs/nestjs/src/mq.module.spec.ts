import { InvalidOptionError, Mq, type BrokerPorts } from '@millrace/core';
import { connectInMemory } from '@millrace/testing';
import { describe, expect, it, jest } from '@jest/globals';
import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  getMqAdminToken,
  getMqHealthToken,
  getMqOptionsToken,
  getMqProducerToken,
  getMqRegistrarToken,
  getMqToken,
} from './connection/connection-tokens.js';
import { InjectMqAdmin, InjectMqProducer } from './connection/inject.decorator.js';
import { MqRegistrar } from './connection/mq-registrar.js';
import { MqHealth } from './connection/mq.health.js';
import type { MqModuleOptions, MqOptionsFactory } from './mq-module-options.js';
import { MqModule } from './mq.module.js';
import { MqProducer } from './producer/mq-producer.js';

function compile(...imports: DynamicModule[]): Promise<TestingModule> {
  return Test.createTestingModule({ imports }).compile();
}

/** An option that only the factory can have set. */
const made = { ports: connectInMemory(), shutdownTimeout: '1s' };

class Options implements MqOptionsFactory {
  createMqOptions(): MqModuleOptions {
    return made;
  }
}

@Module({ providers: [Options, { provide: 'options', useValue: made }], exports: [Options, 'options'] })
class ConfigModule {}

describe('MqModule', () => {
  it('opens nothing when it is imported and built', async () => {
    const connection = jest.fn();
    const app = await compile(MqModule.forRoot({ connection }));
    expect(app.get(MqProducer)).toBeInstanceOf(MqProducer);
    expect(connection).not.toHaveBeenCalled();
    await app.close();
    expect(connection).not.toHaveBeenCalled();
  });

  it.each([
    ['useFactory', { imports: [ConfigModule], inject: ['options'], useFactory: (options: MqModuleOptions) => options }],
    ['an async useFactory', { useFactory: () => Promise.resolve(made) }],
    ['useClass', { useClass: Options }],
    ['useExisting', { imports: [ConfigModule], useExisting: Options }],
  ])('takes its options from %s', async (_way, options) => {
    const app = await compile(MqModule.forRootAsync(options));
    expect(app.get(getMqOptionsToken())).toBe(made);
    expect(app.get<Mq>(getMqToken()).ports).toBe(made.ports);
    await app.close();
  });

  it('provides every connection under its own tokens', async () => {
    const [ports, reports] = [connectInMemory(), connectInMemory()];
    @Injectable()
    class Sender {
      constructor(
        readonly producer: MqProducer,
        @InjectMqProducer('reports') readonly ofReports: MqProducer,
        @InjectMqAdmin('reports') readonly admin: BrokerPorts['admin'],
      ) {}
    }
    const app = await Test.createTestingModule({
      imports: [
        MqModule.forRoot({ ports }),
        MqModule.forRootAsync({ name: 'reports', useFactory: () => ({ ports: reports }) }),
      ],
      providers: [Sender],
    }).compile();
    const sender = app.get(Sender);
    expect(sender.producer).toBe(app.get(getMqProducerToken()));
    expect(sender.ofReports).toBe(app.get(getMqProducerToken('reports')));
    expect(sender.ofReports).not.toBe(sender.producer);
    expect(sender.admin).toBe(reports.admin);
    expect(app.get(getMqAdminToken('default'))).toBe(ports.admin);
    expect(app.get<Mq>(getMqToken('reports')).ports).toBe(reports);
    expect(app.get(getMqRegistrarToken('reports'))).not.toBe(app.get(MqRegistrar));
    expect(app.get(getMqHealthToken('reports'))).not.toBe(app.get(MqHealth));
    await app.close();
  });

  it('is seen by every module unless isGlobal is false', async () => {
    @Module({
      providers: [{ provide: 'sender', useFactory: (producer: MqProducer) => producer, inject: [MqProducer] }],
    })
    class Feature {}
    const feature = { module: Feature };
    await (await compile(MqModule.forRoot({ ports: connectInMemory() }), feature)).close();
    await expect(compile(MqModule.forRoot({ ports: connectInMemory(), isGlobal: false }), feature)).rejects.toThrow(
      /MqProducer/,
    );
  });

  it('lets a test override the options of a connection', async () => {
    const ports = connectInMemory();
    const app = await Test.createTestingModule({ imports: [MqModule.forRoot({ connection: 'redis://production' })] })
      .overrideProvider(getMqOptionsToken())
      .useValue({ ports })
      .compile();
    expect(app.get(Mq).ports).toBe(ports);
    await app.close();
  });
});

describe('bad options end the start', () => {
  const ports = connectInMemory();

  it.each([
    ['no connection', {}, 'MqModule.connection: is required'],
    ['a connection that is no URL', { connection: 'localhost' }, 'connection: must be a URL'],
    ['a misspelt option', { ports, consumer: true }, "MqModule.consumer: unknown option; did you mean 'consumers'?"],
    [
      'a misspelt enhancer',
      { ports, enhancers: { guard: true } },
      "MqModule.enhancers.guard: unknown option; did you mean 'guards'?",
    ],
    [
      'enhancers that are no flags',
      { ports, enhancers: { guards: 'yes' } },
      'MqModule.enhancers.guards: must be true or false',
    ],
    ['consumers that are no flag', { ports, consumers: 3 }, 'MqModule.consumers: must be true or false'],
    ['a misspelt startup', { ports, startup: { wait: '1s' } }, 'MqModule.startup.wait: unknown option'],
    ['a bad startup.timeout', { ports, startup: { timeout: 'soon' } }, 'MqModule.startup.timeout: '],
    [
      'a bad startup.onTimeout',
      { ports, startup: { onTimeout: 'wait' } },
      "MqModule.startup.onTimeout: must be 'continue' or 'fail'",
    ],
    ['listeners that are no map', { ports, listeners: [] }, 'MqModule.listeners: must map'],
    ['ports that are none', { ports: {} }, 'MqModule.ports: must be broker ports'],
    ['options that are none', 'redis://127.0.0.1', 'MqModule: must be an object of options'],
    ['a name made by the factory', { ports, name: 'reports' }, 'MqModule.name: belongs beside the factory'],
  ])('%s', async (_what, options, message) => {
    const failed = compile(MqModule.forRootAsync({ useFactory: () => options as never }));
    await expect(failed).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(failed).rejects.toThrow(message);
  });

  it('a feature that is no list', () => {
    expect(() => MqModule.forFeature({ topic: 'orders' } as never)).toThrow(InvalidOptionError);
  });

  it('the connection is named', async () => {
    const failed = compile(MqModule.forRoot({ name: 'reports' }));
    await expect(failed).rejects.toThrow('MqModule(reports).connection: is required');
  });
});
