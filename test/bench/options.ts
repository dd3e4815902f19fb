// The command line of the benchmark, checked before anything is started.
import { parseArgs } from 'node:util';
import type { Rounds } from './measure.js';
import type { Scenario } from './scenario.js';

export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  readonly quick: boolean;
  readonly rounds: Rounds;
  /** File for the figures. */
  readonly json?: string;
  readonly writeDocs: boolean;
  /** Whether a missed bar makes the exit code 1. */
  readonly judge: boolean;
}

/** @throws Error with a message for the user */
export function benchOptions(args: readonly string[], all: readonly Scenario[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      judge: { type: 'boolean', default: false },
    },
  });
  const { quick, scenario, json, 'write-docs': writeDocs, judge } = values;
  if (writeDocs && (quick || scenario !== undefined))
    throw new Error(
      '--write-docs needs all scenarios at full size: figures of different runs do not belong in one table',
    );
  const measured = values.rounds === undefined ? (quick ? 1 : 3) : Number(values.rounds);
  if (!Number.isInteger(measured) || measured < 1) throw new Error(`--rounds ${values.rounds}: at least 1`);
  // A quick run shows that everything works; its figures are worth nothing anyway.
  const rounds = { measured, warmUps: quick ? 0 : 1 };
  return { scenarios: named(scenario, all), quick, rounds, json, writeDocs, judge };
}

function named(list: string | undefined, all: readonly Scenario[]): readonly Scenario[] {
  if (list === undefined) return all;
  const wanted = list.split(',');
  const unknown = wanted.filter((name) => !all.some(({ id }) => isNamed(name, id)));
  if (unknown.length > 0)
    throw new Error(`unknown scenario ${unknown.join(', ')}; there are ${all.map(({ id }) => id).join(', ')}`);
  return all.filter(({ id }) => wanted.some((name) => isNamed(name, id)));
}

/** `B7` names all of its parts, `B7.fire` one of them. */
function isNamed(name: string, id: string): boolean {
  return id === name || id.startsWith(`${name}.`);
}
