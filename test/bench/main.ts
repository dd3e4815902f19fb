// npm run bench [-- --scenario B1,B4 --quick --rounds N --json FILE --write-docs --judge]
// Exit code: 0 = all was measured and nothing was lost, 1 = a run failed or (--judge) a bar was missed, 2 = bad options.
import { writeFileSync } from 'node:fs';
import { startRedis } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { measure } from './measure.js';
import { benchOptions, type BenchOptions } from './options.js';
import { conditions } from './report/conditions.js';
import { writeDocs } from './report/docs.js';
import { comparisonLine } from './report/line.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import type { PeerServer } from './servers/peer-server.js';
import { PeerServers, QUICK_START } from './servers/peer-servers.js';
import { without, type Comparison } from './verdict.js';

// The exit hook of the servers kills those that this process has started, by their ids.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.error(`\n${signal}: stopped, no figures written`);
    process.exit(1);
  });
}

let options: BenchOptions;
try {
  options = benchOptions(process.argv.slice(2), SCENARIOS);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}

const begun = performance.now();
const started: string[] = [];
const server = await startRedis();
const redis = new Redis(server.url);
// A bare machine in a hurry: what is not in the cache already is not fetched in a quick run.
const servers = new PeerServers(!options.quick, announce, options.quick ? QUICK_START : undefined);
const results: Comparison[] = [];
try {
  const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1];
  started.push(`Redis ${version}`);
  console.log(
    `Redis ${version}, no persistence; Node ${process.version}; medians of ${options.rounds.measured} rounds`,
  );
  for (const scenario of options.scenarios) results.push(...(await measured(scenario)));
} finally {
  redis.disconnect();
  await servers.stop();
  await server.stop();
}

if (options.json) writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
const failed = results.filter((row) => row.failed !== undefined).length;
const missed = results.filter(({ met }) => met === false).length;
const skipped = results.filter((row) => row.skipped !== undefined).length;
if (options.writeDocs && failed === 0)
  writeDocs(
    results,
    SCENARIOS.flatMap((scenario) => scenario.parts ?? [scenario]),
    conditions(started, options.rounds.measured),
  );
const seconds = Math.round((performance.now() - begun) / 1000);
console.log(
  `\n${results.length} comparisons in ${seconds} s; ${missed} bars missed, ${skipped} skipped, ${failed} failed`,
);
// Clients of peers may hold timers and threads that nobody waits for.
process.exit(failed > 0 || (options.judge && missed > 0) ? 1 : 0);

/** Ours failing ends a scenario, not the benchmark. */
async function measured(scenario: Scenario): Promise<Comparison[]> {
  console.log(`\n${scenario.id}  ${scenario.title}`);
  const bench = { redisUrl: server.url, redis, servers, scale: options.quick ? 0.1 : 1 };
  const rows = await measure(scenario, bench, options.rounds).catch((error: unknown) => {
    console.error(error);
    const why = { failed: error instanceof Error ? error.message : String(error) };
    return [without(scenario, 'millrace', null, why)];
  });
  for (const row of rows) console.log(comparisonLine(row, rows.length > 1 && scenario.parts !== undefined));
  return rows;
}

function announce({ name, settings }: PeerServer, took: number): void {
  started.push(name);
  console.log(`    ${name} started in ${took.toFixed(1)} s: ${settings}`);
}
