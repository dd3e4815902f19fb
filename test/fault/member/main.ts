// A process of a run: a producer, a consumer, or both. Told what to be by its one argument, ordered about by its parent.
import { mkdirSync } from 'node:fs';
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { HistoryFile, historyPath } from '../history/history-file.js';
import type { Database } from './database.js';
import { dieAt } from './death.js';
import { handlerOf, makeMortal, witness } from './listening-member.js';
import type { MemberConfig, Order, Report } from './member-config.js';
import { SendingMember } from './sending-member.js';

/** Longer than any call may take: what has no answer then will never have one. */
const SETTLE_MS = 20_000;

const config = JSON.parse(process.argv[2]!) as MemberConfig;
mkdirSync(config.folder, { recursive: true });
const history = new HistoryFile(historyPath(config.folder, config.process));
const { connection, namespace, sendTimeout } = config;
const ports = connectRedis({ connection, namespace, sendTimeout });
makeMortal(ports.broker);
if (config.diesAt) dieAt(config.diesAt);
const mq = new Mq(ports, { topics: config.topics, shutdownTimeout: '5s' });
const lastErrors: Record<string, string> = {};
mq.events.on('lease-lost', () => history.note('lease-lost'));
mq.events.on('loop-error', ({ loop, error }) => (lastErrors[loop] = String(error)));

const tell = (report: Report): void => void process.send?.(report);
// The parent is gone: nobody will read what is written from here on.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

// Loaded only where it is used: Nest takes its time.
const database: Database | undefined = config.databaseUrl
  ? await (await import('./database.js')).openDatabase(config)
  : undefined;
for (const listening of config.listening ?? []) {
  const { topic, group, mode, concurrency, lease, maxAttempts, maxCrashes, backoffMs = 50, timeout, inbox } = listening;
  const effect = inbox ? database!.effect(listening.number) : undefined;
  const middleware = inbox ? [witness(listening, history), database!.inbox] : [witness(listening, history)];
  mq.listen(
    {
      topic,
      group,
      mode,
      concurrency,
      lease,
      maxAttempts,
      maxCrashes,
      timeout,
      backoff: { type: 'fixed', delay: backoffMs },
    },
    handlerOf(listening, effect),
    { middleware, name: group },
  );
}
if (config.listening) await mq.start();

let sending: SendingMember | undefined;
if (config.sending) {
  const { outbox, business } = config.sending;
  sending = new SendingMember(
    config.sending,
    history,
    outbox || business ? database!.send : (topic, body, options) => mq.producer.send(topic, body, options),
    mq.producer,
  );
  void sending.run().then(() => tell({ is: 'finished' }));
}

process.on('message', (order: Order) => {
  if (order.do === 'die') dieAt(order.at, order.passes);
  if (order.do === 'stop') void stop();
  if (order.do === 'report') tell(health());
});
tell({ is: 'ready' });

async function stop(): Promise<void> {
  sending?.stop();
  const late = new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  await Promise.race([sending?.settled(), late]);
  const unsettled = sending?.inFlight ?? 0;
  await database?.close();
  await mq.close();
  history.close();
  // Sent before the channel closes; then nothing may keep the process.
  process.send!({ is: 'stopped', unsettled, errors: sending?.errors ?? {} } satisfies Report, () => process.exit(0));
}

function health(): Report {
  const loops = mq.health();
  return {
    is: 'health',
    silentMs: Object.fromEntries(loops.map(({ loop, lastSuccessAgoMs }) => [loop, lastSuccessAgoMs ?? null])),
    errors: lastErrors,
    rssBytes: process.memoryUsage.rss(),
  };
}
