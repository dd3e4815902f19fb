// How safe a message must be before its send is acknowledged: what may be asked for, checked in one place.
import { BrokerRefusedError, InvalidOptionError } from '../errors.js';
import { checkInteger, checkOptions } from '../option-check.js';

/**
 * - `'memory'`: the server has it.
 * - `'fsync'`: the server's disk has it.
 * - `{ replicas: n }`: at least n replicas have it too; with `fsync` on disk, here and there.
 */
export type Durability = 'memory' | 'fsync' | { replicas: number; fsync?: boolean };

/** A `Durability` beyond `memory`, with every value filled in. */
export interface DurabilityLevel {
  readonly fsync: boolean;
  /** Replicas that must have it; 0 = none. */
  readonly replicas: number;
}

const MAX_REPLICAS = 100;

/** The level that is meant; undefined is memory. Throws InvalidOptionError. */
export function durabilityLevel(option: string, value: unknown): DurabilityLevel | undefined {
  if (value === undefined || value === 'memory') return undefined;
  if (value === 'fsync') return { fsync: true, replicas: 0 };
  if (typeof value !== 'object' || value === null)
    throw new InvalidOptionError(option, value, "must be 'memory', 'fsync' or { replicas, fsync }");
  checkOptions(option, value, ['replicas', 'fsync']);
  const { replicas, fsync = false } = value as { replicas?: unknown; fsync?: unknown };
  if (typeof fsync !== 'boolean') throw new InvalidOptionError(`${option}.fsync`, fsync, 'must be true or false');
  return { replicas: checkInteger(`${option}.replicas`, replicas, 1, MAX_REPLICAS), fsync };
}

/** Says why a level cannot be proven here. Nothing was stored. */
export function unprovable(problem: string): BrokerRefusedError {
  return new BrokerRefusedError(`this durability cannot be proven: ${problem}`, 'MQ_DURABILITY');
}
