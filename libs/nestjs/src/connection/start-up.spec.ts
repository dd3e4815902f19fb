import { BrokerRefusedError, Mq, TopicError } from '@millrace/core';
import { connectInMemory } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MqConnection } from './mq-connection.js';
import { StartUp } from './start-up.js';
import type { MqStartupOptions } from './startup-options.js';

const AWAY = new BrokerRefusedError('no answer from the server', 'MQ_UNAVAILABLE');
const CONFLICT = new TopicError('orders', 'queues differ');

describe('the start of a connection', () => {
  let mq: Mq;
  let tries: number;
  let startUp: StartUp;
  /** What each try meets; undefined: it hangs. */
  let broker: () => Promise<void> | undefined;

  beforeEach(() => {
    mq = new Mq(connectInMemory());
    tries = 0;
    broker = () => Promise.resolve();
  });
  afterEach(async () => {
    startUp.abandon();
    await mq.close();
  });

  const run = (startup?: MqStartupOptions): Promise<void> => {
    startUp = new StartUp(new MqConnection('default', { startup }, mq));
    return startUp.run(() => {
      tries++;
      return broker() ?? new Promise<never>(() => {});
    });
  };
  const begun = async (): Promise<void> => {
    while (startUp.isUnderWay) await new Promise(setImmediate);
  };

  it('is over when the broker has answered', async () => {
    await run();
    expect([tries, startUp.isUnderWay, startUp.isLate, startUp.health()]).toEqual([1, false, false, []]);
  });

  it('ends with what a broker that is there says against it', async () => {
    broker = () => Promise.reject(CONFLICT);
    await expect(run({ timeout: '1m' })).rejects.toBe(CONFLICT);
    expect([tries, startUp.isUnderWay]).toEqual([1, false]);
  });

  it('is tried again while the broker is away, within the time that is waited', async () => {
    broker = () => (tries < 3 ? Promise.reject(AWAY) : Promise.resolve());
    await run({ timeout: '1m' });
    expect([tries, startUp.isLate]).toEqual([3, false]);
  });

  it.each([{ timeout: 0 }, { timeout: '20ms' }])(
    'goes on in the background after that time, and is reported (%j)',
    async (startup) => {
      let answer!: () => void;
      broker = () => new Promise((resolve) => (answer = resolve));
      const reported = mq.events.next('loop-error');
      await run(startup);
      expect(await reported).toMatchObject({ loop: 'start', error: { code: 'MQ_UNAVAILABLE' } });
      expect([startUp.isLate, startUp.health().map(({ loop }) => loop)]).toEqual([true, ['start']]);
      answer();
      await begun();
      expect([tries, startUp.isLate, startUp.health()]).toEqual([1, false, []]);
    },
  );

  it('in the background reports what is against it, and tries on: it cannot end the application any more', async () => {
    let conflict!: () => void;
    broker = () => new Promise((_, reject) => (conflict = () => reject(CONFLICT)));
    await run({ timeout: 0 });
    const reported = mq.events.next('loop-error', ({ error }) => error === CONFLICT);
    conflict();
    await reported;
    expect([startUp.isLate, startUp.health()[0]?.lastError]).toEqual([true, CONFLICT]);
    broker = () => Promise.resolve();
    await begun();
    expect(tries).toBe(2);
  });

  it('ends after that time with onTimeout: fail, naming the connection and the reason', async () => {
    broker = () => Promise.reject(AWAY);
    const failed = run({ timeout: '20ms', onTimeout: 'fail' });
    await expect(failed).rejects.toMatchObject({
      code: 'MQ_UNAVAILABLE',
      message: "the broker of connection 'default' has not answered for 20 ms: no answer from the server",
    });
    const before = tries;
    await new Promise(setImmediate);
    expect([tries, startUp.isUnderWay]).toEqual([before, false]);
  });

  it('that was given up begins nothing, whatever is answered later', async () => {
    let answer!: () => void;
    broker = () => new Promise((resolve) => (answer = resolve));
    await run({ timeout: 0 });
    startUp.abandon();
    answer();
    await new Promise(setImmediate);
    expect([tries, startUp.isUnderWay, startUp.isLate]).toEqual([1, false, false]);
  });
});
