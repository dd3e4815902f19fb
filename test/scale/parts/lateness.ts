// How late handlers start on the real clock, while many others wait for later.
import { Mq, type BrokerPorts } from '@millrace/core';
import type { Claim } from '../claim.js';
import { bodyOf } from '../fill.js';
import { percentile, type Ground } from '../ground.js';

const PER_SECOND = 5_000;
const SECONDS = 10;
const SECONDS_QUICK = 2;
const BATCH = 1_000;
/** Time to schedule all of them before the first is due. */
const LEAD_MS_PER_1000 = 150;

export async function lateness(ground: Ground, ports: BrokerPorts, topic: string): Promise<Claim[]> {
  const count = PER_SECOND * (ground.options.isQuick ? SECONDS_QUICK : SECONDS);
  const mq = new Mq(ports);
  const late: number[] = [];
  const dueOf = new Float64Array(count);
  const all = new Promise<void>((resolve) => {
    mq.listen<{ n: number }>({ topic, group: 'late', concurrency: 100, startFrom: 'last' }, async ({ message }) => {
      late.push(Date.now() - dueOf[message.body.n]!);
      if (late.length === count) resolve();
    });
  });
  await mq.start();
  const first = Date.now() + 500 + (count / 1_000) * LEAD_MS_PER_1000;
  for (let n = 0; n < count; n++) dueOf[n] = Math.round(first + (n * 1_000) / PER_SECOND);
  for (let n = 0; n < count; n += BATCH) {
    const numbers = Array.from({ length: BATCH }, (_, index) => n + index);
    const requests = numbers.map((number) => ({
      destination: topic,
      body: bodyOf(number),
      options: { deliverAt: new Date(dueOf[number]!) },
    }));
    if ((await mq.producer.sendAll(requests)).some(({ ok }) => !ok)) throw new Error('a send was refused');
  }
  if (Date.now() > first) throw new Error('messages were due before all of them were scheduled');
  await within(60_000 + SECONDS * 1_000, all);
  await mq.stopConsuming();
  const beside = { p50: percentile(late, 0.5), worst: Math.max(...late), messages: count, pending: ground.many };
  return [
    {
      what: `lateness of handlers at ${PER_SECOND.toLocaleString('en-US')} due a second, 99th percentile`,
      measured: percentile(late, 0.99),
      limit: 20,
      unit: 'ms',
      beside,
    },
    { what: 'handlers that started early', measured: late.filter((ms) => ms < 0).length, limit: 0, unit: '' },
  ];
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not all messages were handled within ${ms / 1000} s`)), ms);
  });
  await Promise.race([work, over]).finally(() => clearTimeout(timer));
}
