// On a real server: what an application opened is gone when it has closed. Seen from the server, by the names that the
// sockets of one application carry.
import { newMessageId, type Mq } from '@millrace/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { once } from 'node:events';
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

/** Every socket an application opens, kept by this factory so that a spec can see what became of them. */
function sockets(): { opened: Redis[]; connection: () => Redis } {
  const opened: Redis[] = [];
  const connection = (): Redis => {
    const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, protocol: 2 });
    opened.push(client);
    return client;
  };
  return { opened, connection };
}

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

/** Waits for the sockets' own last event, which comes a moment after they were told to end. */
async function ended(opened: readonly Redis[]): Promise<void> {
  await Promise.all(opened.map(async (client) => client.status === 'end' || (await once(client, 'end'))));
}

/** What would keep this process alive and was not there before. */
function activeBut(before: readonly string[]): string[] {
  const rest = [...before];
  return process.getActiveResourcesInfo().filter((resource) => {
    const known = rest.indexOf(resource);
    if (known >= 0) rest.splice(known, 1);
    return known < 0;
  });
}

describe('app.close()', () => {
  it('leaves no socket, timer or blocked read', async () => {
    await server.ping();
    const before = process.getActiveResourcesInfo();
    const { opened, connection } = sockets();
    const app = await start({ connection });
    await consumeOne(app);
    expect(app.get(MqHealth).check()).toMatchObject({ status: 'up', consuming: true, connection: { connected: true } });
    expect(opened.length).toBeGreaterThan(1);
    await app.close();
    await ended(opened);
    expect(activeBut(before)).toEqual([]);
  });

  it('ends the sockets of a process that only sends', async () => {
    const { opened, connection } = sockets();
    const app = await start({ connection, consumers: false });
    await app.get(MqProducer).send('orders', { id: 'o-1' });
    await app.close();
    expect(opened.length).toBeGreaterThan(0);
    await ended(opened);
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
    const { opened, connection } = sockets();
    const second = start({ connection, namespace, topics: [{ topic: 'orders', queues: 8 }] });
    await expect(second).rejects.toMatchObject({ code: 'MQ_TOPIC_CONFLICT' });
    expect(opened.length).toBeGreaterThan(0);
    await ended(opened);
    await first.close();
  });
});
