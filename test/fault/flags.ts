// The command line of the fault runs.
import { parseArgs } from 'node:util';

export interface FaultFlags {
  seed: number;
  /** Scenario ids; empty: all. */
  scenarios: readonly string[];
  /** Length of traffic and faults of one scenario. */
  seconds: number;
  quick: boolean;
  ci: boolean;
  list: boolean;
  help: boolean;
  writeDocs: boolean;
  /** Instead of the scenarios: the soak alone, for this many minutes. */
  soakMinutes?: number;
  json?: string;
}

export const USAGE = `npm run test:fault -- [flags]

  --seed N             of everything that is left to chance; a failed run is repeated with it (default: random)
  --scenario T4,T7     only these (default: all but the soak)
  --seconds N          traffic and faults of one scenario (default 20)
  --quick              every scenario once, 5 s each, with less of everything
  --ci                 a fixed seed and the selection for CI, at most 2 minutes
  --soak MINUTES       the soak (T23) alone
  --json FILE          write the rows to FILE
  --write-docs         write the rows into docs/reliability.md
  --list               the scenarios, and which are skipped here and why
  --help               this text

Exit code 1 when anything is lost, unexpected, reordered, early, changed or stuck; the seed is printed.`;

/** A mistake on the command line; its message is for the user. */
export class FlagError extends Error {}

const OPTIONS = {
  seed: { type: 'string' },
  scenario: { type: 'string' },
  seconds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  ci: { type: 'boolean', default: false },
  soak: { type: 'string' },
  json: { type: 'string' },
  'write-docs': { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const CI_SEED = 20;
const CI_SECONDS = 5;

/** Throws FlagError. @param known scenario ids */
export function parseFlags(args: string[], known: readonly string[], randomSeed: number): FaultFlags {
  let values;
  try {
    ({ values } = parseArgs({ args, options: OPTIONS }));
  } catch (error) {
    throw new FlagError((error as Error).message);
  }
  const scenarios = values.scenario?.split(',').filter(Boolean) ?? [];
  const unknown = scenarios.filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new FlagError(`unknown scenario ${unknown.join(', ')}; there are ${known.join(', ')}`);
  const { quick, ci, list, help, json } = values;
  if (values.soak !== undefined && scenarios.length > 0) throw new FlagError('--soak runs alone, without --scenario');
  return {
    seed: values.seed === undefined ? (ci ? CI_SEED : randomSeed) : whole('--seed', values.seed, 0, 2 ** 32 - 1),
    scenarios,
    seconds:
      values.seconds === undefined ? (quick || ci ? CI_SECONDS : 20) : whole('--seconds', values.seconds, 1, 3600),
    quick: quick || ci,
    ci,
    list,
    help,
    writeDocs: values['write-docs'],
    soakMinutes: values.soak === undefined ? undefined : whole('--soak', values.soak, 1, 1440),
    json,
  };
}

function whole(flag: string, value: string, least: number, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (number >= least && number <= most) return number;
  throw new FlagError(`${flag} must be a whole number from ${least} to ${most} (given: ${value})`);
}
