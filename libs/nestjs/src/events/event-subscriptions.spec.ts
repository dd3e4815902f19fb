import { MqEvents, type MqEventMap } from '@millrace/core';
import { expect, it, jest } from '@jest/globals';
import { Inject, Injectable, Logger, Scope, type Provider } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { getMqToken } from '../connection/connection-tokens.js';
import { MqModule } from '../mq.module.js';
import { OnMqEvent } from './on-mq-event.decorator.js';

const lost = { topic: 'orders', group: 'billing', messageId: 'm-1', attempt: 1 };

/** An engine that does nothing but tell. */
class QuietMq {
  readonly events = new MqEvents();
  start = (): Promise<void> => Promise.resolve();
  stopConsuming = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve(this.events.emit('lease-lost', lost));
}

async function start(...providers: Provider[]): Promise<{ app: TestingModule; events: MqEvents }> {
  const mq = new QuietMq();
  const app = await Test.createTestingModule({
    imports: [MqModule.forRoot({ connection: 'redis://unused' })],
    providers,
  })
    .overrideProvider(getMqToken())
    .useValue(mq)
    .compile();
  await app.init();
  return { app, events: mq.events };
}

it('calls the methods of an event on their instance, until the connection has closed', async () => {
  class Alarms {
    readonly seen: string[] = [];
    @OnMqEvent('lease-lost')
    @OnMqEvent('reclaimed')
    alarm({ messageId }: MqEventMap['lease-lost']): void {
      this.seen.push(messageId);
    }
  }
  const { app, events } = await start(Alarms);
  const { seen } = app.get(Alarms);
  events.emit('lease-lost', { ...lost, messageId: 'a' });
  events.emit('reclaimed', { ...lost, messageId: 'b', crashes: 1 });
  events.emit('done', { ...lost, messageId: 'c', durationMs: 1 });
  expect(seen).toEqual(['a', 'b']);
  await app.close();
  expect(seen).toEqual(['a', 'b', 'm-1']);
  events.emit('lease-lost', lost);
  expect(seen).toHaveLength(3);
});

it('what a method throws, or rejects with, is logged and goes no further', async () => {
  const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const twice = new Promise<void>((resolve) => {
    log.mockImplementation(() => (log.mock.calls.length === 2 ? resolve() : undefined));
  });
  class Alarms {
    @OnMqEvent('lease-lost')
    now(): never {
      throw new Error('no pager');
    }
    @OnMqEvent('lease-lost')
    later(): Promise<never> {
      return Promise.reject(new Error('no mail'));
    }
  }
  const { app, events } = await start(Alarms);
  events.emit('lease-lost', lost);
  await twice;
  expect(log.mock.calls.map(([text]) => text as string).toSorted()).toEqual([
    'Alarms.later failed on lease-lost: Error: no mail',
    'Alarms.now failed on lease-lost: Error: no pager',
  ]);
  await app.close();
  log.mockRestore();
});

it('request-scoped classes get an instance per event, with its payload as REQUEST', async () => {
  const seen: unknown[] = [];
  const heard = new Promise<void>((resolve) => {
    @Injectable({ scope: Scope.REQUEST })
    class Alarms {
      constructor(@Inject(REQUEST) readonly request: unknown) {}
      @OnMqEvent('lease-lost')
      alarm(): void {
        seen.push(this.request);
        resolve();
      }
    }
    void start(Alarms).then(({ events }) => events.emit('lease-lost', lost));
  });
  await heard;
  expect(seen).toEqual([lost]);
});
