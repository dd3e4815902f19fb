// npm run demo: a flash sale from the first click to the auditor's verdict. flags.ts says what it takes.
import { appendFileSync } from 'node:fs';
import { constants } from 'node:os';
import { type DemoFlags, FlagError, parseFlags, USAGE } from './flags.js';
import { flashSale } from './flash-sale.js';
import type { Report } from './report.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

process.exit(await main(process.argv.slice(2)));

/** Exit codes: 0, 1 for a broken invariant or a failed run, 2 for a mistake on the command line, 128 + n for a signal. */
async function main(args: string[]): Promise<number> {
  let flags: DemoFlags;
  try {
    flags = parseFlags(args);
    if (flags.json !== undefined) checkWritable(flags.json);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => stop.abort(signal));
  try {
    return conclude(await flashSale(flags, stop.signal), flags);
  } catch (error) {
    if (!stop.signal.aborted) {
      console.error(error);
      return 1;
    }
    const signal = stop.signal.reason as (typeof SIGNALS)[number];
    console.error(`stopped by ${signal}`);
    return 128 + constants.signals[signal];
  }
}

function conclude(report: Report, { check, sabotage }: DemoFlags): number {
  if (sabotage !== undefined && report.held) {
    // Exit 0: whoever expects the sabotage to be found sees that it was not.
    console.log(`\n  The auditor did not notice the sabotage (${sabotage}).`);
    return 0;
  }
  return !report.held && (check || sabotage !== undefined) ? 1 : 0;
}

/** Before the run, not after it. */
function checkWritable(file: string): void {
  try {
    appendFileSync(file, '');
  } catch (error) {
    throw new FlagError(`--json: ${(error as Error).message}`);
  }
}
