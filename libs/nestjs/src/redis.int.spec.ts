// On a real server: what an application opened is gone when it has closed.
import { newMessageId, type Mq } from '@millrace/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { getMqToken } from './connection/connection-tokens.js';
import { MqHealth } from './connection/mq.health.js';
import { MqListener } from './listener/mq-listener.decorator.js';
import type { MqModuleOptions } from './mq-module-options.js';
import { MqModule } from './mq.module.js';
import { MqProducer } from './producer/mq-producer.js';

const url = process.env.REDIS_URL!;
let server: Redis;
beforeAll(() => {
  server = new Redis(url);
});
afterAll(() => server.quit());

@Injectable()
class Orders {
  constructor(private readonly producer: MqProducer) {}

  @MqListener({ topic: 'orders', group: 'billing' })
  async created(order: unknown): Promise<void> {
    await this.producer.send('bills', order, { delay: '1h' });
  }
}

/** A way to the server that counts the sockets which go through it. */
let proxy: TcpProxy;
beforeEach(async () => {
  const { hostname, port } = new URL(url);
  proxy = await startTcpProxy({ host: hostname, port: Number(port) });
});
afterEach(() => proxy.close());
const counted = (): string => `redis://127.0.0.1:${proxy.port}`;

function start(options: MqModuleOptions): Promise<INestApplicationContext> {
  const imports = [MqModule.forRoot({ namespace: `spec-${newMessageId()}`, ...options })];
  class Application {}
  const module = { module: Application, imports, providers: [Orders] };
  return NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
}

async function consumeOne(app: INestApplicationContext): Promise<void> {
  const done = app.get<Mq>(getMqToken()).events.next('done');
  await app.get(MqProducer).send('orders', { id: 'o-1' });
  await done;
}

/** Resolves when no socket is left; the proxy hears of an end a moment after the application. */
async function noneLeft(): Promise<void> {
  expect(proxy.accepted).toBeGreaterThan(0);
  while (proxy.connections > 0) await server.ping();
}

describe('app.close()', () => {
  it('leaves no socket, timer or blocked read, so that the process ends by itself', async () => {
    const program = fileURLToPath(new URL('../test/close-application.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program, `spec-${newMessageId()}`], {
      timeout: 10_000,
    });
    expect(JSON.parse(stdout)).toEqual([]);
  });

  it('ends the sockets of a process that consumes, its blocked read among them', async () => {
    const app = await start({ connection: counted() });
    await consumeOne(app);
    expect(app.get(MqHealth).check()).toMatchObject({ status: 'up', consuming: true, connection: { connected: true } });
    expect(proxy.connections).toBeGreaterThan(1);
    await app.close();
    await noneLeft();
  });

  it('ends the sockets of a process that only sends', async () => {
    const app = await start({ connection: counted(), consumers: false });
    await app.get(MqProducer).send('orders', { id: 'o-1' });
    await app.close();
    await noneLeft();
    expect(proxy.connections).toBe(0);
  });

  it('may be called twice, and a later send is refused', async () => {
    const app = await start({ connection: url });
    const producer = app.get(MqProducer);
    await consumeOne(app);
    await app.close();
    await app.close();
    await expect(producer.send('orders', 1)).rejects.toMatchObject({ code: 'MQ_CLOSED' });
  });
});

describe('a start that fails', () => {
  it('closes what it opened', async () => {
    const namespace = `spec-${newMessageId()}`;
    const first = await start({ connection: url, namespace, topics: [{ topic: 'orders', queues: 2 }] });
    const second = start({ connection: counted(), namespace, topics: [{ topic: 'orders', queues: 8 }] });
    await expect(second).rejects.toMatchObject({ code: 'MQ_TOPIC_CONFLICT' });
    await noneLeft();
    await first.close();
  });
});
