// The floor below all clients: redis-benchmark, written in C, 64 commands per round trip on each of 50 connections.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findRedis, onPath } from '@millrace/testing/servers';
import { expectCount, PeerUnavailableError, type Bench, type Contender } from '../scenario.js';
import { addArguments } from './raw-ioredis.js';

const NAME = 'redis-benchmark -P 64';

export async function redisBenchmark(bench: Bench, count: number): Promise<Contender> {
  const { bin, env } = await findRedis();
  // Beside the server; in an unpacked package the server has been put into a folder of its own.
  const beside = [join(dirname(bin), 'redis-benchmark'), join(dirname(bin), '../usr/bin/redis-benchmark')];
  const program = beside.find((file) => existsSync(file)) ?? onPath('redis-benchmark');
  if (!program) throw new PeerUnavailableError(NAME, 'no redis-benchmark beside the server or on the PATH');
  const [stream, ...rest] = addArguments(0);
  const { hostname, port } = new URL(bench.redisUrl);
  const args = ['-h', hostname, '-p', port, '-P', '64', '-n', String(count), '-q', 'XADD', stream, ...rest];
  return {
    name: NAME,
    async run() {
      const { stdout } = await promisify(execFile)(program, args, { env, maxBuffer: 1 << 24 });
      const perSecond = Number([...stdout.matchAll(/([\d.]+) requests per second/g)].at(-1)?.[1]);
      // It rounds up to whole pipelines on every connection.
      const stored = await bench.redis.xlen(stream);
      expectCount('entries stored, at least', Math.min(stored, count), count);
      return perSecond;
    },
    close: async () => undefined,
  };
}
