// npm run test:fault: real processes, real faults, and a checker that reads what they wrote down. flags.ts says what it takes.
import { randomInt } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { FlagError, parseFlags, USAGE, type FaultFlags } from './flags.js';
import { isSkipped, line, writeRows } from './report.js';
import type { Row, SkippedRow } from './row.js';
import { runScenario } from './run.js';
import { CI_SELECTION, SCENARIOS, SOAK } from './scenarios.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PAGE = 'docs/reliability.md';

process.exit(await main(process.argv.slice(2)));

/** Exit codes: 0, 1 for a violation, 2 for a mistake on the command line, 128 + n for a signal. */
async function main(args: string[]): Promise<number> {
  let flags: FaultFlags;
  try {
    flags = parseFlags(
      args,
      SCENARIOS.map(({ id }) => id),
      randomInt(2 ** 32 - 1),
    );
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  if (flags.list) {
    for (const { id, title, skip } of SCENARIOS) {
      const why = await skip?.();
      console.log(`${id.padEnd(4)} ${title}${why === undefined ? '' : ` (skipped: ${why})`}`);
    }
    return 0;
  }
  const stop = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => stop.abort(signal));
  try {
    return conclude(await runAll(flags, stop.signal), flags);
  } catch (error) {
    if (!stop.signal.aborted) {
      console.error(error);
      return 1;
    }
    console.error(`stopped by ${String(stop.signal.reason)}`);
    return 128 + constants.signals[stop.signal.reason as (typeof SIGNALS)[number]];
  }
}

function say(text: string): void {
  console.log(`     ${text}`);
}

async function runAll(flags: FaultFlags, signal: AbortSignal): Promise<(Row | SkippedRow)[]> {
  const { seed, quick, ci, soakMinutes } = flags;
  const wanted = SCENARIOS.filter((scenario) => {
    if (soakMinutes !== undefined) return scenario === SOAK;
    if (flags.scenarios.length > 0) return flags.scenarios.includes(scenario.id);
    return ci ? CI_SELECTION.includes(scenario) : scenario !== SOAK || quick;
  });
  const seconds = soakMinutes === undefined ? flags.seconds : soakMinutes * 60;
  console.log(`seed ${seed}`);
  const rows: (Row | SkippedRow)[] = [];
  for (const scenario of wanted) {
    console.log(`\n${scenario.id}  ${scenario.title}`);
    const row = await runScenario(scenario, { seed, seconds, isQuick: quick, signal, say });
    rows.push(row);
    console.log(line(row));
  }
  return rows;
}

function conclude(
  rows: readonly (Row | SkippedRow)[],
  { seed, json, writeDocs, soakMinutes, quick }: FaultFlags,
): number {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`);
  if (writeDocs) writeRows(PAGE, rows);
  const skipped = rows.filter(isSkipped).length;
  const failed = rows.filter((row) => !isSkipped(row) && row.violations.length > 0);
  const counts = { passed: rows.length - skipped - failed.length, failed: failed.length, skipped };
  if (process.env.MILLRACE_COUNTS)
    appendFileSync(process.env.MILLRACE_COUNTS, `${JSON.stringify({ suite: 'fault', ...counts })}\n`);
  if (failed.length > 0) {
    const ids = failed.map(({ scenario }) => scenario).join(',');
    const how = soakMinutes === undefined ? `--scenario ${ids}${quick ? ' --quick' : ''}` : `--soak ${soakMinutes}`;
    console.log(`\nrepeat with: npm run test:fault -- --seed ${seed} ${how}`);
  }
  console.log(`\nfault: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, seed ${seed}`);
  return failed.length > 0 ? 1 : 0;
}
