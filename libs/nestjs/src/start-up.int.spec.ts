// An application that is started while Redis is away, and a Redis that comes up after it.
import type { Mq } from '@millrace/core';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { getMqToken } from './connection/connection-tokens.js';
import { MqHealth } from './connection/mq.health.js';
import { MqListener } from './listener/mq-listener.decorator.js';
import type { MqModuleOptions } from './mq-module-options.js';
import { MqModule } from './mq.module.js';
import { MqProducer } from './producer/mq-producer.js';
import { MqCron } from './schedule/mq-cron.decorator.js';

@MqCron('0 3 * * *', { topic: 'reports', name: 'nightly' })
@Injectable()
class Orders {
  readonly seen: unknown[] = [];

  @MqListener({ topic: 'orders', group: 'billing' })
  created(order: unknown): void {
    this.seen.push(order);
  }
}

let redis: RedisServer;
let apps: INestApplicationContext[];
beforeEach(async () => {
  redis = await startRedis();
  apps = [];
});
afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await redis.stop();
});

async function start(options: Partial<MqModuleOptions> = {}): Promise<INestApplicationContext> {
  const connection = redis.url;
  const imports = [
    MqModule.forRoot({
      connection,
      topics: [{ topic: 'orders', queues: 2 }],
      startup: { timeout: '100ms' },
      ...options,
    }),
  ];
  class Application {}
  const module = { module: Application, imports, providers: [Orders] };
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  apps.push(app);
  return app;
}

const health = (app: INestApplicationContext) => app.get(MqHealth).check();

/** Asks until it is so; the start ends a moment after the first message. */
async function begun(app: INestApplicationContext): Promise<void> {
  while (health(app).starting) await new Promise(setImmediate);
}

describe('an application that starts while Redis is away', () => {
  it('runs, says that it is down, and begins when Redis is there', async () => {
    await redis.kill();
    const app = await start();
    expect(health(app)).toMatchObject({ status: 'down', starting: true, consuming: false });
    expect(health(app).loops.map(({ loop }) => loop)).toContain('start');
    const done = app.get<Mq>(getMqToken()).events.next('done');
    // Waits for Redis, as in an application that runs when Redis goes.
    const sent = app.get(MqProducer).send('orders', { id: 'o-1' });
    await redis.restart();
    expect(await sent).toMatchObject({ topic: 'orders', duplicate: false });
    await done;
    await begun(app);
    expect(app.get(Orders).seen).toEqual([{ id: 'o-1' }]);
    expect(health(app)).toMatchObject({ status: 'up', starting: false, consuming: true });
    expect(await app.get<Mq>(getMqToken()).schedules.list('reports')).toHaveLength(1);
  });

  it('closes at once, however long Redis stays away', async () => {
    await redis.kill();
    const app = await start();
    const began = performance.now();
    await app.close();
    // A call waits for Redis for 30 s.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('ends its start with a typed error when it is told to, and leaves nothing that holds the process', async () => {
    await redis.kill();
    const began = performance.now();
    await expect(start({ startup: { timeout: '100ms', onTimeout: 'fail' } })).rejects.toMatchObject({
      code: 'MQ_UNAVAILABLE',
      message: expect.stringMatching(/connection 'default' has not answered for 100 ms/),
    });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('reports a topic that is stored with other settings, and does not consume it', async () => {
    await redis.stop();
    redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    await (await start({ startup: { timeout: '1m' } })).close();
    await redis.kill();
    const app = await start({ topics: [{ topic: 'orders', queues: 8 }] });
    const { events } = app.get<Mq>(getMqToken());
    const conflict = events.next(
      'loop-error',
      ({ error }) => (error as { code?: string }).code === 'MQ_TOPIC_CONFLICT',
    );
    await redis.restart();
    expect(await conflict).toMatchObject({ loop: 'start' });
    expect(health(app)).toMatchObject({ status: 'down', starting: true, consuming: false });
  });
});

describe('an application whose Redis is there', () => {
  it('still ends its start with what Redis says against it', async () => {
    const startup = { timeout: '1m' };
    await start({ startup });
    await expect(start({ startup, topics: [{ topic: 'orders', queues: 8 }] })).rejects.toMatchObject({
      code: 'MQ_TOPIC_CONFLICT',
    });
  });
});
