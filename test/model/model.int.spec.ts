// Random commands on a real server and on the in-memory broker, each compared with a model of sets and maps: every
// answer, every count after every command, and at the end everything that is left.
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { play, runsOf } from './play.js';
import { inMemory, onRedis } from './stores.js';

const RUNS = { inMemory: 150, onRedis: 60 };
const BUDGET_MS = { inMemory: 8_000, onRedis: 16_000 };
const inTimeMs = (runs: number): number => Math.max(120_000, runsOf(runs) * 3_000);

describe('a broker answers and counts as the model does, whatever it is told', () => {
  let server: RedisServer;
  beforeAll(async () => {
    // One entry per node: a trim removes exactly what it may, so that one which removes too much is seen at once.
    server = await startRedis({ args: ['--stream-node-max-entries', '1'] });
  });
  afterAll(() => server.stop());

  it('in memory', () => play(inMemory, RUNS.inMemory, BUDGET_MS.inMemory), inTimeMs(RUNS.inMemory));

  it('on Redis', () => play(() => onRedis(server.url), RUNS.onRedis, BUDGET_MS.onRedis), inTimeMs(RUNS.onRedis));
});
