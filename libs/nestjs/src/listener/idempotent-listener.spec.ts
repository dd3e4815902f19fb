import type { Mq, MqEventMap } from '@millrace/core';
import { connectInMemory } from '@millrace/testing';
import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getMqToken } from '../connection/connection-tokens.js';
import { OnMqEvent } from '../events/on-mq-event.decorator.js';
import { MqModule } from '../mq.module.js';
import { MqListener } from './mq-listener.decorator.js';

interface Order {
  readonly id: string;
}

describe('an idempotent listener', () => {
  it('is declared by its decorator; its repeat runs nothing, and an event has what it returned the first time', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Billing {
      @MqListener({
        topic: 'orders',
        group: 'billing',
        idempotent: { key: ({ body }) => (body as Order).id, ttl: '7d' },
      })
      async charge({ id }: Order): Promise<string> {
        seen.push(`charged ${id}`);
        return `receipt of ${id}`;
      }

      @OnMqEvent('duplicate')
      again({ result }: MqEventMap['duplicate']): void {
        seen.push(result);
      }
    }
    class Application {}
    const ports = connectInMemory();
    const app = await NestFactory.createApplicationContext(
      { module: Application, imports: [MqModule.forRoot({ ports })], providers: [Billing] },
      { logger: false, abortOnError: false },
    );
    const mq = app.get<Mq>(getMqToken());
    for (const event of ['done', 'duplicate'] as const) {
      const ended = mq.events.next(event);
      await mq.producer.send('orders', { id: 'o1' });
      await ended;
    }
    expect(seen).toEqual(['charged o1', 'receipt of o1']);
    await app.close();
  });
});
