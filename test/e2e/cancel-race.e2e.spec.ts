// O2: cancelling is linearizable against firing. Each message is delivered or cancelled, and the answer agrees.
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { race } from '../support/cancel-race.js';
import { until } from '../support/until.js';

const TOPIC = 'timeouts';

describe('cancel against fire, on three shards', () => {
  let proxy: TcpProxy;
  let sender: Mq;
  let canceller: Mq;
  let consumer: Mq;
  let delivered: Map<string, number>;

  beforeEach(async () => {
    const { hostname, port, href } = new URL(process.env.REDIS_URL!);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const namespace = `race-${randomUUID()}`;
    const connect = (connection: string): Mq =>
      new Mq(connectRedis({ connection, namespace }), { topics: [{ topic: TOPIC, shards: 3, queues: 6 }] });
    [sender, canceller, consumer] = [connect(href), connect(`redis://127.0.0.1:${proxy.port}`), connect(href)];
    delivered = new Map();
    consumer.listen<string>({ topic: TOPIC, group: 'closing', concurrency: 200 }, async ({ message: { body } }) => {
      delivered.set(body, (delivered.get(body) ?? 0) + 1);
    });
    await consumer.start();
  });

  afterEach(async () => {
    await Promise.all([sender, canceller, consumer].map((mq) => mq.close()));
    await proxy.close();
  });

  it('10,000 times: every answer agrees with what was delivered', async () => {
    expect(await agreed(10_000, 1_000)).toBe(10_000);
  }, 60_000);

  it('and so it does for 1,000 while the reply to every fiftieth cancel is lost', async () => {
    // The first of each wave comes before its message is due. Cancels alone name these records on this connection.
    let dropped = 0;
    const lose = (): void => {
      const loss = proxy.dropNextReplyTo('k:key-');
      void loss.done.then(() => (dropped += loss.dropped));
    };
    expect(await agreed(1_000, 50, lose)).toBe(1_000);
    expect(dropped).toBe(20);
  }, 60_000);

  /** How many ended as their answer says. */
  async function agreed(messages: number, atOnce: number, beforeCancels?: () => void): Promise<number> {
    const { answers } = await race(sender, canceller, { topic: TOPIC, messages, atOnce, seed: 7, beforeCancels });
    const keys = [...answers.keys()];
    const [cancelled, fired] = ['cancelled', 'already-delivered'].map((word) =>
      keys.filter((key) => answers.get(key) === word),
    );
    // Else it was no race. How it ends is the machine's affair: a lost reply holds up the other cancels of its wave too.
    for (const some of [cancelled!, fired!]) expect(some.length).toBeGreaterThan(messages / 100);
    await until('nothing is scheduled or on its way any more', async () => {
      const { scheduled, groups } = await consumer.admin.stats(TOPIC);
      return scheduled === 0 && groups[0]?.done === fired!.length;
    });
    expect([...delivered.keys()].toSorted()).toEqual(fired!.toSorted());
    expect([...delivered.values()].every((times) => times === 1)).toBe(true);
    expect(await consumer.admin.stats(TOPIC)).toMatchObject({ accepted: messages, cancelled: cancelled!.length });
    return cancelled!.length + fired!.length;
  }
});
