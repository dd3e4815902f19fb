import { InvalidOptionError, Mq, type Message } from '@millrace/core';
import { connectInMemory, InMemoryStore, ManualClock } from '@millrace/testing';
import { expect, it } from '@jest/globals';
import { Injectable, type Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { MqMessage } from '../listener/listener-params.decorator.js';
import { MqListener } from '../listener/mq-listener.decorator.js';
import { MqModule } from '../mq.module.js';
import { MqCron } from './mq-cron.decorator.js';

let clock: ManualClock;
let store: InMemoryStore;
let heard: Message[] = [];

async function start(providers: Provider[], consumers = true): Promise<TestingModule> {
  heard = [];
  clock = new ManualClock();
  store = new InMemoryStore({ clock });
  const ports = connectInMemory({ store, clock });
  const app = await Test.createTestingModule({
    imports: [MqModule.forRoot({ ports, clock, consumers })],
    providers,
  }).compile();
  await app.init();
  return app;
}

@Injectable()
@MqCron('0 3 * * *', { topic: 'reports', body: { kind: 'nightly' }, timeZone: 'Europe/Berlin' })
@MqCron({ every: '1h' }, { topic: 'reports', name: 'hourly', tag: 'h' })
class Reports {
  @MqCron('*/1 * * * *', { topic: 'reports', body: { kind: 'minutely' } })
  @MqListener({ topic: 'reports', group: 'g' })
  build(_body: unknown, @MqMessage() message: Message): void {
    heard.push(message);
  }
}

it('stores what classes and methods declare, under their names, and its ticks arrive', async () => {
  const app = await start([Reports]);
  const mq = app.get(Mq);
  expect(await mq.schedules.list('reports')).toMatchObject([
    { name: 'Reports', cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
    { name: 'Reports.build', cron: '*/1 * * * *' },
    { name: 'hourly', everyMs: 3_600_000 },
  ]);
  await clock.advance(60_001);
  await clock.advance(10);
  expect(heard.map(({ body }) => body)).toEqual([{ kind: 'minutely' }]);
  await app.close();
});

it('stores them also where nothing is consumed', async () => {
  const app = await start([Reports], false);
  expect(await app.get(Mq).schedules.list('reports')).toHaveLength(3);
  await app.close();
});

it('of two classes, or of one that is provided twice, the name must not be the same', async () => {
  @MqCron('0 4 * * *', { topic: 'reports', name: 'hourly' })
  class Other {}
  await expect(start([Reports, Other])).rejects.toThrow(/hourly.*two schedules|two schedules.*hourly/);
});

it('an heir has what it inherits from methods under its own name, and not the schedule of the class', async () => {
  class Weekly extends Reports {}
  const app = await start([Weekly]);
  const names = (await app.get(Mq).schedules.list('reports')).map(({ name }) => name);
  expect(names).toEqual(['Weekly.build']);
  await app.close();
});

it('ends the start with the name of the class when it is declared badly or for an unknown connection', async () => {
  @MqCron('0 25 * * *', { topic: 'reports' })
  class Bad {}
  const started = start([Bad]);
  await expect(started).rejects.toThrow(InvalidOptionError);
  await expect(started).rejects.toThrow(/Bad: @MqCron: schedule\.cron.*hour/);
  expect(store.find('reports')).toBeUndefined();
  @MqCron('0 3 * * *', { topic: 'reports', connection: 'reprots' })
  class Lost {}
  await expect(start([Lost])).rejects.toThrow(/Lost.*reprots|reprots.*Lost/);
});
