import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getMqOptionsToken } from '@millrace/nestjs';
import { createTestBroker, type TestBroker } from '@millrace/testing';
import { AppModule } from '../src/app.module.js';
import { Orders } from '../src/orders.js';

const MINUTE = 60_000;
// Without REDIS_URL the specs run in memory only.
const places = [undefined, process.env.REDIS_URL].filter((url, index) => index === 0 || url !== undefined);

describe.each(places)('an order (%s)', (connection) => {
  let broker: TestBroker;
  let app: INestApplicationContext;

  beforeEach(async () => {
    broker = createTestBroker({ connection });
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(getMqOptionsToken())
      .useValue({ ports: broker.ports, clock: broker.clock })
      .compile();
    app = await module.init();
  });
  afterEach(async () => {
    await app.close();
    await broker.close();
  });

  it('that nobody pays is cancelled after 30 minutes', async () => {
    const orders = app.get(Orders);
    await orders.place('o-1');
    await broker.clock.advance(30 * MINUTE - 1);
    await broker.drain();
    expect(orders.statusOf('o-1')).toBe('unpaid');
    await broker.clock.advance(1);
    await broker.drain();
    expect(orders.statusOf('o-1')).toBe('cancelled');
  });

  it('that is paid is not cancelled', async () => {
    const orders = app.get(Orders);
    await orders.place('o-1');
    await broker.clock.advance(29 * MINUTE);
    await orders.pay('o-1');
    await broker.clock.advance(60 * MINUTE);
    await broker.drain();
    expect(orders.statusOf('o-1')).toBe('paid');
    expect(broker.sent('order-timeout')).toHaveLength(1);
  });

  it('is cancelled too when the reply to the acknowledgement is lost', async () => {
    const orders = app.get(Orders);
    await orders.place('o-1');
    const lost = broker.ports.faults.loseReply('settle');
    await broker.clock.advance(30 * MINUTE);
    await lost.struck;
    await broker.clock.advance(MINUTE);
    await broker.drain();
    expect(orders.statusOf('o-1')).toBe('cancelled');
  });
});
