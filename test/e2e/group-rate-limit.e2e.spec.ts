// Three real processes under one limit. The program is test/support/limited-consumer.ts, compiled.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { until } from '../support/until.js';

const PROGRAM = fileURLToPath(new URL('../../dist/test/support/limited-consumer.js', import.meta.url));
const LEAVE_WITH_PARENT = new URL('../../dist/test/demo/leave-with-parent.js', import.meta.url).href;
const TOPIC = 'orders';

describe('a rate limit of 50 a second', () => {
  let namespace: string;
  let mq: Mq;
  let children: ChildProcess[];
  let starts: number[];

  beforeEach(() => {
    namespace = `limited-${randomUUID().replaceAll('-', '')}`;
    mq = new Mq(connectRedis({ connection: process.env.REDIS_URL!, namespace }));
    children = [];
    starts = [];
  });

  afterEach(async () => {
    await Promise.all(children.map((child) => end(child)));
    await mq.close();
  });

  it('holds for three processes together, within 5 over 20 s, also when one is killed, and is changed at run time', async () => {
    const bodies = Array.from({ length: 1000 }, (_, body) => ({ destination: TOPIC, body }));
    for (let batch = 0; batch < 5; batch++) await mq.producer.sendAll(bodies);
    await Promise.all([0, 1, 2].map(() => startConsumer()));

    const asCode = await perSecondOver(20);
    expect(asCode).toBeGreaterThanOrEqual(45);
    expect(asCode).toBeLessThanOrEqual(55);
    await end(children[0]!, 'SIGKILL');
    const rate = await perSecondOver(5);
    expect(rate).toBeGreaterThanOrEqual(40);
    expect(rate).toBeLessThanOrEqual(60);

    await mq.admin.setLimits(TOPIC, 'limited', { rateLimit: { max: 200, per: '1s' } });
    await secondsPassed(2);
    const faster = await perSecondOver(5);
    expect(faster).toBeGreaterThanOrEqual(170);
    expect(faster).toBeLessThanOrEqual(220);
  }, 120_000);

  async function startConsumer(): Promise<void> {
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', '--import', LEAVE_WITH_PARENT, PROGRAM, namespace, TOPIC, '50'],
      { env: process.env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    );
    children.push(child);
    child.on('message', (message: { startedAt?: number }) => {
      if (message.startedAt !== undefined) starts.push(message.startedAt);
    });
    await once(child, 'message');
  }

  /** Starts of handlers, by their own clock, in a window that begins with the next start. */
  async function perSecondOver(seconds: number): Promise<number> {
    const seen = starts.length;
    const from = await until('a start', () => starts[seen]);
    const to = from + seconds * 1000;
    await until('a start behind the window', () => starts.some((at) => at >= to), seconds * 1000 + 10_000);
    const rate = starts.filter((at) => at >= from && at < to).length / seconds;
    process.stdout.write(`  ${rate.toFixed(1)} starts a second over ${seconds} s\n`);
    return rate;
  }

  /** By the clock of the starts: until one comes that much later than the next one. */
  async function secondsPassed(seconds: number): Promise<void> {
    await perSecondOver(seconds);
  }
});

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
