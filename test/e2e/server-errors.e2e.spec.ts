// Every way in which a server can say "not now", or nothing at all: consumers of both modes go on by themselves when it is
// over, nothing acknowledged is lost, the producer is told what happened, and nobody asks in a tight loop meanwhile. A
// server of its own: it is made to refuse, frozen and stopped.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { Trader, watchLoad, type ServerLoad } from '../support/trader.js';
import { until } from '../support/until.js';

const SERVER = [
  '--save 3600 1',
  '--busy-reply-threshold 50',
  '--enable-debug-command yes',
  '--loading-process-events-interval-bytes 1024',
];
const OUTAGE_MS = 2_000;
/** Two consumers, their loops and a producer, all failing: ten times as many would be no loop but still too many. */
const MAX_CALLS_A_SECOND = 300;
const MAX_CONNECTIONS_A_SECOND = 15;

let server: RedisServer;
let proxy: TcpProxy;
/** Beside the proxy; never refused. */
let admin: Redis;
let trader: Trader;
let busy: Promise<unknown>;

beforeEach(async () => {
  server = await startRedis({ args: SERVER.flatMap((setting) => /^(\S+) (.*)$/.exec(setting)!.slice(1)) });
  proxy = await startTcpProxy({ port: server.port });
  admin = new Redis(server.url, { enableReadyCheck: false });
  admin.on('error', () => undefined);
  trader = new Trader(`redis://127.0.0.1:${proxy.port}`, { silenceTimeout: '1s' });
  await trader.mq.start();
  await trader.trade();
});

afterEach(async () => {
  await trader.mq.close();
  admin.disconnect();
  await proxy.close();
  await server.stop();
});

interface Outage {
  name: string;
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
  /** What the producer is told meanwhile: these and nothing else. */
  told: string[];
}

const config = (setting: string, value: string | number): Promise<unknown> => admin.config('SET', setting, value);

/** Cluster errors, which a single server never gives, put in the way of every script and every read. */
function refusing(error: string): Pick<Outage, 'begin' | 'end'> {
  const isOurs = (request: Buffer): boolean =>
    /^\*\d+\r\n\$\d+\r\n(eval|evalsha|xread|xreadgroup)\r\n/i.test(request.toString('latin1', 0, 40));
  return {
    begin: async () => proxy.refuseRequests(isOurs, error),
    end: async () => proxy.pass(),
  };
}

const brokenSave = (): string => join(server.dir, 'dump.rdb');

const OUTAGES: Outage[] = [
  {
    name: 'READONLY: a primary that is made a replica, and a primary again',
    begin: () => admin.replicaof('127.0.0.1', 1),
    end: () => admin.replicaof('NO', 'ONE'),
    told: ['MQ_UNAVAILABLE', 'MQ_SEND_UNKNOWN'],
  },
  {
    name: 'MISCONF: a snapshot that cannot be written',
    async begin() {
      rmSync(brokenSave(), { force: true });
      mkdirSync(join(brokenSave(), 'in the way'), { recursive: true });
      await admin.bgsave();
      await until('the snapshot has failed', async () =>
        (await admin.info('persistence')).includes('rdb_last_bgsave_status:err'),
      );
    },
    async end() {
      rmSync(brokenSave(), { recursive: true });
      await admin.bgsave();
      await until('the snapshot is written', async () =>
        (await admin.info('persistence')).includes('rdb_last_bgsave_status:ok'),
      );
    },
    told: ['MQ_UNAVAILABLE'],
  },
  {
    name: 'NOREPLICAS: fewer replicas than min-replicas-to-write',
    begin: () => config('min-replicas-to-write', 1),
    end: () => config('min-replicas-to-write', 0),
    told: ['MQ_UNAVAILABLE'],
  },
  {
    name: 'TRYAGAIN: a slot that is being moved',
    ...refusing('TRYAGAIN Multiple keys request during rehashing of slot'),
    told: ['MQ_UNAVAILABLE'],
  },
  {
    name: 'CLUSTERDOWN: a cluster without a majority',
    ...refusing('CLUSTERDOWN The cluster is down'),
    told: ['MQ_UNAVAILABLE'],
  },
  {
    name: 'MASTERDOWN: a replica that has lost its primary',
    ...refusing("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
    told: ['MQ_UNAVAILABLE'],
  },
  {
    name: 'LOADING: a server that reads its data from disk',
    async begin() {
      // Small keys, each of which takes a while to load, so that the server answers in between.
      await admin.mset(
        Object.fromEntries(Array.from({ length: OUTAGE_MS }, (_, number) => [`fill:${number}`, 'x'.repeat(1024)])),
      );
      await config('key-load-delay', 1_000);
      busy = admin.call('DEBUG', 'RELOAD');
      const impatient = new Redis(server.url, { enableReadyCheck: false });
      await until('the server is loading', () =>
        impatient.get('fill:0').then(
          () => false,
          () => true,
        ),
      );
      impatient.disconnect();
    },
    end: () => busy,
    told: ['stored', 'MQ_UNAVAILABLE', 'MQ_SEND_UNKNOWN'],
  },
  {
    name: 'BUSY: a script that holds the server',
    begin: async () => {
      const holder = new Redis(server.url);
      busy = holder
        .eval("while true do redis.call('PING') end", 0)
        .catch(() => undefined)
        .finally(() => holder.disconnect());
      await until('the server is busy', () =>
        admin.ping().then(
          () => false,
          () => true,
        ),
      );
    },
    async end() {
      await admin.script('KILL');
      await busy;
    },
    told: ['MQ_UNAVAILABLE', 'MQ_SEND_UNKNOWN'],
  },
  {
    name: 'a server that is frozen (SIGSTOP) for longer than a socket may be silent',
    begin: async () => server.pause(),
    end: async () => server.resume(),
    told: ['MQ_SEND_UNKNOWN'],
  },
  {
    name: 'a half-open connection: a network that swallows everything',
    begin: async () => proxy.blackhole(),
    async end() {
      // What the old sockets held back never arrives, as after a dead host.
      proxy.reset();
      proxy.pass();
    },
    told: ['MQ_SEND_UNKNOWN'],
  },
];

async function outage({ begin, end }: Outage): Promise<ServerLoad> {
  const load = await watchLoad(server.url);
  await begin();
  const over = performance.now() + OUTAGE_MS;
  while (performance.now() < over) await trader.send();
  await end();
  return load.end();
}

describe('a consumer and a producer go on by themselves after', () => {
  it.each(OUTAGES)('$name', async (fault) => {
    const before = trader.told.length;
    const load = await outage(fault);
    const told = new Set(trader.told.slice(before));
    expect([...told].filter((code) => !fault.told.includes(code))).toEqual([]);
    expect(load.calls / load.seconds).toBeLessThan(MAX_CALLS_A_SECOND);
    expect(load.connections / load.seconds).toBeLessThan(MAX_CONNECTIONS_A_SECOND);
    await trader.allHandled();
    await trader.trade();
    expect(trader.told.slice(-8)).toEqual(Array.from({ length: 8 }, () => 'stored'));
    await until('every lease is settled', async () => (await trader.leased()) === 0);
  });

  it.each([
    ['UNBLOCKED: blocked reads that are ended with an error', () => unblockAll()],
    ['CLIENT KILL of every connection', () => admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')],
    ['NOGROUP: groups that are destroyed', () => destroyGroups()],
    ['NOSCRIPT: SCRIPT FLUSH', () => admin.script('FLUSH')],
    ['a reset of every connection by the network', async () => proxy.reset()],
  ])('%s, again and again', async (_, strike) => {
    const load = await watchLoad(server.url);
    for (let round = 0; round < 20; round++) {
      const sending = trader.send();
      await strike();
      await sending;
    }
    await trader.allHandled();
    await trader.trade();
    expect(new Set(trader.told)).toEqual(new Set(['stored']));
    const { calls } = await load.end();
    expect(calls).toBeLessThan(20 * 400);
  });
});

async function unblockAll(): Promise<void> {
  const blocked = ((await admin.client('LIST')) as string).split('\n').filter((line) => / flags=\S*b/.test(line));
  for (const line of blocked) await admin.call('CLIENT', 'UNBLOCK', /^id=(\d+)/.exec(line)![1]!, 'ERROR');
}

/** Of the concurrent group only: a group that is made again starts at the first entry that is left, so order goes back too. */
async function destroyGroups(): Promise<void> {
  for (const queue of [0, 1]) await admin.xgroup('DESTROY', `{trader:loose:0}:q:${queue}`, 'g');
}
