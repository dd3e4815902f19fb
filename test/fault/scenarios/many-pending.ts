import { Mq, type SendRequest } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { makePayload, sumOf } from '../member/payload.js';
import type { Scenario } from '../scenario.js';
import { startProbe } from '../stage/ping-probe-process.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, LEASE_MS } from '../traffic.js';

const PENDING = 500_000;
const PENDING_QUICK = 40_000;
const LONGEST_STALL_MS = 20;
const DEAD = 'dead-consumer';
/** Of the messages that are sent before any process. */
const PRELOADER = 60_000;

export const manyPending: Scenario = {
  id: 'T22',
  title: '500 k pending entries of a dead consumer, then recovery',
  run: async (stage) => {
    const pending = stage.options.isQuick ? PENDING_QUICK : PENDING;
    await stage.startRedis();
    const listening = [concurrent(0, { concurrency: 300, workMs: [0, 0] })];
    stage.rules = { groups: stage.groups(listening) };
    await preload(stage, pending);
    await abandon(stage, pending);
    await stage.direct.config('SET', 'slowlog-log-slower-than', 1_000);
    await stage.direct.config('SET', 'slowlog-max-len', 100_000);
    await stage.direct.slowlog('RESET');
    stage.faults++;
    stage.say(`plan: ${pending} entries pending for a consumer that does not exist`);
    await stage.wait(LEASE_MS);
    const probe = await startProbe(stage.redis);
    stage.onClose(() => probe.end());
    const started = performance.now();
    for (const name of ['consumer 1', 'consumer 2']) await stage.consumer(name, listening);
    await stage.until('everything is taken over', 300_000, async () => (await stage.backlog()) === 0);
    const slowest = await slowestCommand(stage);
    const { worstMs, stallMs, pings } = await probe.end();
    await stage.finish();
    Object.assign(stage.figures, {
      pending,
      'taken over per s': Math.round((pending / (performance.now() - started)) * 1000),
      pings,
      'worst ping ms': worstMs,
      'of it not waiting for a processor': stallMs,
      'slowest command by the slow log': slowest,
    });
    if (stallMs > LONGEST_STALL_MS) stage.problems.push(`the server stalled for ${stallMs} ms`);
  },
};

async function preload(stage: Stage, count: number): Promise<void> {
  const { namespace, history } = stage;
  const mq = new Mq(connectRedis({ connection: stage.redis.url, namespace }), { topics: stage.topics });
  const spec = { topic: 'orders', group: 'billing', mode: 'concurrent', consumer: DEAD, leaseMs: LEASE_MS } as const;
  await mq.producer.send('orders', makePayload(PRELOADER, 0, 0, 0));
  note(stage, 0);
  await mq.ports.broker.subscribe({ ...spec, startFrom: 'first' });
  for (let n = 1; n < count;) {
    const batch: SendRequest[] = [];
    for (; batch.length < 2_000 && n < count; n++) {
      batch.push({ destination: 'orders', body: makePayload(PRELOADER, n, 0, 0) });
      note(stage, n);
    }
    const results = await mq.producer.sendAll(batch);
    if (results.some(({ ok }) => !ok)) throw new Error('preloading failed');
  }
  for (let n = 0; n < count; n++) history.note('ok', { producer: PRELOADER, n });
  await mq.close();
}

function note({ history }: Stage, n: number): void {
  history.note('attempt', { producer: PRELOADER, n, sum: sumOf(makePayload(PRELOADER, n, 0, 0)) });
}

/** Reads everything under a name that no process has. */
async function abandon(stage: Stage, count: number): Promise<void> {
  let read = 0;
  const keys = [0, 1, 2, 3].map((queue) => `{${stage.namespace}:orders:0}:q:${queue}`);
  const command = ['GROUP', 'billing', DEAD, 'COUNT', '2000', 'STREAMS', ...keys, '>', '>', '>', '>'];
  while (read < count) {
    const reply = (await stage.direct.call('XREADGROUP', ...command)) as [string, unknown[]][] | null;
    if (!reply) break;
    read += reply.reduce((sum, [, entries]) => sum + entries.length, 0);
  }
  if (read !== count) stage.problems.push(`${read} of ${count} entries are pending`);
}

/** Beside the probe: says whose stall it was. */
async function slowestCommand({ direct }: Stage): Promise<string> {
  const rows = (await direct.slowlog('GET', 100_000)) as [number, number, number, string[]][];
  const [worst] = rows.toSorted((a, b) => b[2] - a[2]);
  if (!worst) return 'below 1 ms';
  const [, , micros, [command = '', script = '']] = worst;
  return `${command} ${script.slice(0, 8)} ${(micros / 1000).toFixed(1)} ms`;
}
