// The command line of the demo: what it understands, its defaults, and what it says to a slip of the keyboard.
import { parseArgs } from 'node:util';
import { toMs } from '@millrace/core';

export const SABOTAGES = ['oversell', 'lose', 'double-return'] as const;
export type Sabotage = (typeof SABOTAGES)[number];

export interface DemoFlags {
  buyers: number;
  /** Items in all; the demo deals them over its sales. */
  stock: number;
  /** How long an order waits for its payment, in ms. */
  timeoutMs: number;
  check: boolean;
  serve: boolean;
  help: boolean;
  json?: string;
  sabotage?: Sabotage;
}

export const USAGE = `npm run demo -- [flags]

  --buyers N        how many people come (default 2000)
  --stock N         items in all, half in each of the two sales (default 100)
  --timeout D       how long an order waits for its payment: 800ms, 5s, 1m … (default 5s)
  --check           exit 1 when an invariant does not hold
  --json FILE       write figures and invariants to FILE
  --serve           keep everything running afterwards, with curl lines to try
  --sabotage WHAT   plant a fault that the auditor must find (exit 1 when found): ${SABOTAGES.join(', ')}
  --help            this text`;

/** A mistake on the command line; its message is for the user. */
export class FlagError extends Error {}

const OPTIONS = {
  buyers: { type: 'string' },
  stock: { type: 'string' },
  timeout: { type: 'string' },
  check: { type: 'boolean' },
  serve: { type: 'boolean' },
  help: { type: 'boolean' },
  json: { type: 'string' },
  sabotage: { type: 'string' },
} as const;

/** Throws FlagError. */
export function parseFlags(args: string[]): DemoFlags {
  const values = new Map<string, string>();
  const switches = new Set<string>();
  // Not strict: Node's own messages know no "did you mean".
  for (const token of parseArgs({ args, options: OPTIONS, strict: false, tokens: true }).tokens) {
    if (token.kind === 'positional') throw new FlagError(`unexpected argument '${token.value}'`);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(OPTIONS, token.name) ? OPTIONS[token.name as keyof typeof OPTIONS] : undefined;
    if (!option)
      throw new FlagError(`unknown flag ${token.rawName}${didYouMean(token.name, Object.keys(OPTIONS), '--')}`);
    if (option.type === 'boolean') {
      if (token.value !== undefined) throw new FlagError(`${token.rawName} takes no value`);
      switches.add(token.name);
    } else {
      // Without `=`, a value that looks like a flag is one: `--json --check` must not write a file called --check.
      if (!token.value || (!token.inlineValue && token.value.startsWith('-')))
        throw new FlagError(`${token.rawName} needs a value`);
      values.set(token.name, token.value);
    }
  }
  return {
    buyers: wholeNumber('--buyers', values.get('buyers') ?? '2000', 1, 200_000),
    stock: wholeNumber('--stock', values.get('stock') ?? '100', 1, 100_000),
    timeoutMs: duration('--timeout', values.get('timeout') ?? '5s'),
    check: switches.has('check'),
    serve: switches.has('serve'),
    help: switches.has('help'),
    json: values.get('json'),
    sabotage: sabotage(values.get('sabotage')),
  };
}

function wholeNumber(flag: string, value: string, min: number, max: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (number >= min && number <= max) return number;
  throw new FlagError(`${flag} must be a whole number from ${min} to ${max} (given: ${value})`);
}

function duration(flag: string, value: string): number {
  let ms: number;
  try {
    ms = toMs(flag, /^\d+$/.test(value) ? Number(value) : value);
  } catch (error) {
    throw new FlagError((error as Error).message);
  }
  if (ms >= 100 && ms <= 600_000) return ms;
  throw new FlagError(`${flag} must be from 100ms to 10m (given: ${value})`);
}

function sabotage(value: string | undefined): Sabotage | undefined {
  if (value === undefined) return undefined;
  const known = SABOTAGES.find((name) => name === value);
  if (known) return known;
  throw new FlagError(
    `--sabotage must be one of ${SABOTAGES.join(', ')} (given: ${value})${didYouMean(value, SABOTAGES)}`,
  );
}

function didYouMean(given: string, known: readonly string[], prefix = ''): string {
  const [near] = known.map((name) => ({ name, edits: edits(given, name) })).toSorted((a, b) => a.edits - b.edits);
  return near && near.edits <= Math.max(2, given.length / 3) ? `; did you mean ${prefix}${near.name}?` : '';
}

/** Levenshtein distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
