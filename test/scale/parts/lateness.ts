// How late the handlers of another process start on the real clock, while many others wait for later.
import { prepareMessage, type Broker } from '@millrace/core';
import type { Claim } from '../claim.js';
import { bodyOf } from '../fill.js';
import { NAMESPACE, percentile, type Ground } from '../ground.js';
import { startLateConsumer, type HandlerStart } from '../late-consumer-process.js';

const PER_SECOND = 5_000;
const SECONDS = 10;
const SECONDS_QUICK = 2;
const BATCH = 1_000;
/** Time to schedule all of them before the first is due. */
const LEAD_MS_PER_1000 = 150;

export async function lateness(ground: Ground, broker: Broker, topic: string): Promise<Claim[]> {
  const count = PER_SECOND * (ground.options.isQuick ? SECONDS_QUICK : SECONDS);
  const consumer = await startLateConsumer({ connection: ground.server.url, namespace: NAMESPACE, topic, count });
  try {
    const first = Date.now() + 500 + (count / 1_000) * LEAD_MS_PER_1000;
    const dueOf = (n: number): number => Math.round(first + (n * 1_000) / PER_SECOND);
    const report = consumer.starts(first - Date.now() + 60_000 + SECONDS * 1_000);
    const sent = schedule(broker, topic, count, dueOf).then(() => {
      if (Date.now() > first) throw new Error('messages were due before all of them were scheduled');
      return report;
    });
    return claims(ground, await Promise.race([sent, report]), dueOf, count);
  } finally {
    await consumer.stop();
  }
}

async function schedule(broker: Broker, topic: string, count: number, dueOf: (n: number) => number): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, index) => {
      const n = first + index;
      return prepareMessage(topic, bodyOf(n), { deliverAt: new Date(dueOf(n)) }, { now: Date.now() });
    });
    if ((await broker.send(batch)).some(({ ok }) => !ok)) throw new Error('a send was refused');
  }
}

function claims(ground: Ground, starts: readonly HandlerStart[], dueOf: (n: number) => number, count: number): Claim[] {
  if (new Set(starts.map(([n]) => n)).size !== count) throw new Error('a message was handled twice, another one never');
  const late = starts.map(([n, at]) => at - dueOf(n));
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
