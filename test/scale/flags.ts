// The command line of the scale runs.
import { parseArgs } from 'node:util';

export interface ScaleFlags {
  readonly seed: number;
  /** Names of the parts to run; empty: all. */
  readonly parts: readonly string[];
  readonly quick: boolean;
  readonly help: boolean;
  readonly writeDocs: boolean;
  readonly json?: string;
}

/** A mistake on the command line; its message is for the user. */
export class FlagError extends Error {}

export const usage = (parts: readonly string[]): string => `npm run scale -- [flags]

  --part ${parts.join(',')}   only these (default: all)
  --quick       20,000 of everything instead of 1,000,000: shows that it runs, proves nothing
  --seed N      of everything that is left to chance (default: random)
  --json FILE   write the findings to FILE
  --write-docs  write them into docs/capacity.md
  --help        this text

Nothing else may run on the machine meanwhile. Exit code 1 when a limit does not hold.`;

const OPTIONS = {
  part: { type: 'string' },
  quick: { type: 'boolean', default: false },
  seed: { type: 'string' },
  json: { type: 'string' },
  'write-docs': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Throws FlagError. @param known names of the parts */
export function parseFlags(args: string[], known: readonly string[], randomSeed: number): ScaleFlags {
  let values;
  try {
    ({ values } = parseArgs({ args, options: OPTIONS }));
  } catch (error) {
    throw new FlagError((error as Error).message);
  }
  const parts = values.part?.split(',').filter(Boolean) ?? [];
  const unknown = parts.filter((part) => !known.includes(part));
  if (unknown.length > 0) throw new FlagError(`unknown part ${unknown.join(', ')}; there are ${known.join(', ')}`);
  const { quick, help, json } = values;
  if (quick && values['write-docs']) throw new FlagError('--write-docs is for a full run: --quick proves nothing');
  const seed = values.seed === undefined ? randomSeed : Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw new FlagError(`--seed must be a whole number from 0 to ${2 ** 32 - 1} (given: ${values.seed})`);
  return { seed, parts, quick, help, writeDocs: values['write-docs'], json };
}
