// npm run bench [-- --scenario B1,B4 --quick --rounds N --json FILE]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startRedis } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { measure, type Comparison } from './measure.js';
import { SCENARIOS } from './scenarios.js';

const { values: flags } = parseArgs({
  options: {
    scenario: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'string' },
  },
});

/** `B7` names all of its parts, `B7.fire` one of them. */
const isNamed = (name: string, id: string): boolean => id === name || id.startsWith(`${name}.`);
const wanted = flags.scenario?.split(',') ?? SCENARIOS.map(({ id }) => id);
const unknown = wanted.filter((name) => !SCENARIOS.some(({ id }) => isNamed(name, id)));
if (unknown.length > 0) {
  console.error(`unknown scenario ${unknown.join(', ')}; there are ${SCENARIOS.map(({ id }) => id).join(', ')}`);
  process.exit(2);
}
const rounds = flags.rounds ? Number(flags.rounds) : flags.quick ? 1 : 3;

const server = await startRedis();
const redis = new Redis(server.url);
const results: Comparison[] = [];
try {
  const info = await redis.info('server');
  console.log(
    `Redis ${/redis_version:(\S+)/.exec(info)?.[1]}, no persistence; Node ${process.version}; medians of ${rounds} rounds`,
  );
  for (const scenario of SCENARIOS.filter(({ id }) => wanted.some((name) => isNamed(name, id)))) {
    console.log(`\n${scenario.id}  ${scenario.title}`);
    const bench = { redisUrl: server.url, redis, scale: flags.quick ? 0.1 : 1 };
    for (const row of await measure(scenario, bench, rounds)) {
      results.push(row);
      console.log(line(row));
    }
  }
} finally {
  redis.disconnect();
  await server.stop();
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify(results, undefined, 2)}\n`);

function line({ peer, ours, theirs, ratio, unit, bar, met }: Comparison): string {
  const judged = bar === undefined ? '' : `   bar ${bar} ×: ${met ? 'met' : 'MISSED'}`;
  return `    ${peer.padEnd(26)} ours ${format(ours)}  theirs ${format(theirs)} ${unit}   ${ratio.toFixed(2)} ×${judged}`;
}

function format(value: number): string {
  return value.toLocaleString('en-US').padStart(9);
}
