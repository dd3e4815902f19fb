// The probe must see a server that stands still: a stall that nobody sees proves nothing.
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { startProbe } from './ping-probe-process.js';

const PROGRAM = fileURLToPath(new URL('../../../dist/test/fault/stage/ping-probe.js', import.meta.url));

const STALL_MS = 300;

describe('the ping probe', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeEach(async () => {
    server = await startRedis({ args: ['--enable-debug-command', 'local'] });
    redis = new Redis(server.url);
  });

  afterEach(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('sees for how long a server answered nobody', async () => {
    const probe = await startProbe(server, PROGRAM);
    // It is at work once the server has answered a few of its pings.
    while (!/cmdstat_ping:calls=\d{2,}/.test(await redis.info('commandstats')));
    await redis.call('DEBUG', 'SLEEP', STALL_MS / 1000);
    const { stallMs, pings } = await probe.end();
    expect(stallMs).toBeGreaterThan(STALL_MS / 2);
    expect(pings).toBeGreaterThan(0);
  });
});
