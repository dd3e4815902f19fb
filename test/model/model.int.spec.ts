// Random commands on a real server and on the in-memory broker, each compared with a model of sets and maps: every
// answer, every count after every command, and at the end everything that is left. MODEL_SEED, MODEL_RUNS and
// MODEL_COMMANDS make a longer run; a failure prints its seed and the shortest commands that show it.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { connectRedis } from '@millrace/redis';
import { connectInMemory, InMemoryStore, ManualClock } from '@millrace/testing';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import fc from 'fast-check';
import { BrokerModel, type Shape } from './broker-model.js';
import { consuming } from './consuming.js';
import { finish } from './finish.js';
import { inMemoryHourglass, redisHourglass } from './hourglass.js';
import { sending } from './sending.js';
import { upkeep } from './upkeep.js';
import { GROUPS, World, type Store } from './world.js';

const { MODEL_SEED, MODEL_RUNS, MODEL_COMMANDS } = process.env;
const SEED = Number(MODEL_SEED ?? 20_261_121);
const RUNS = Number(MODEL_RUNS ?? 200);
const LONGEST = Number(MODEL_COMMANDS ?? 60);
const IN_TIME_MS = Math.max(120_000, RUNS * 2_000);

const shape: fc.Arbitrary<Shape> = fc.constantFrom({ shards: 1, queues: 2 }, { shards: 2, queues: 4 });
const commands = fc.commands([...sending, ...consuming, ...upkeep], { maxCommands: LONGEST, size: 'max' });

async function check(open: () => Store): Promise<void> {
  const property = fc.asyncProperty(shape, commands, async (topic, some) => {
    const world = await World.open(open(), topic);
    const model = new BrokerModel(topic, GROUPS);
    try {
      await fc.asyncModelRun(() => ({ model, real: world }), some);
      await finish(model, world);
    } finally {
      await world.close();
    }
  });
  await fc.assert(property, { seed: SEED, numRuns: RUNS });
}

describe('a broker answers and counts as the model does, whatever it is told', () => {
  let server: RedisServer;
  beforeAll(async () => {
    // One entry per node: a trim removes exactly what it may, so that one which removes too much is seen at once.
    server = await startRedis({ args: ['--stream-node-max-entries', '1'] });
  });
  afterAll(() => server.stop());

  it(
    'in memory',
    () =>
      check(() => {
        const clock = new ManualClock();
        const store = new InMemoryStore({ clock });
        return { ports: () => connectInMemory({ store, clock }), hourglass: () => inMemoryHourglass(store, clock) };
      }),
    IN_TIME_MS,
  );

  it(
    'on Redis',
    () =>
      check(() => {
        const namespace = `model-${randomBytes(6).toString('hex')}`;
        return {
          ports: () => connectRedis({ connection: server.url, namespace }),
          hourglass: (topic) => redisHourglass(server.url, namespace, topic),
        };
      }),
    IN_TIME_MS,
  );
});
