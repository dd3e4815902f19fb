// What `operations.redrive`, `purge` and `export` take: documentation, defaults and checks in one place.
import {
  checkDeadLetterFilter,
  checkInteger,
  checkOptions,
  InvalidOptionError,
  toMs,
  type DeadLetterFilter,
  type Duration,
} from '@millrace/core';
import type { OperationSpec, Rate } from './operation.js';

export interface OperationOptions {
  /** Which dead letters. @default every one of the group */
  filter?: DeadLetterFilter;
  /** Only counts what is meant. @default false */
  dryRun?: boolean;
  /** At most `max` letters `per` so long, evenly spread, over all processes. @default as fast as it goes */
  rate?: { max: number; per: Duration };
}

export interface RedriveOperationOptions extends OperationOptions {
  /** Also letters that were redriven three times already. @default false */
  force?: boolean;
}

export interface ExportOperationOptions extends OperationOptions {
  /** Name of a sink that the process which runs the operation was given, or a file on its machine (NDJSON, replaced). */
  to: string | { file: string };
}

type Given = RedriveOperationOptions & Partial<ExportOperationOptions>;
export type CheckedOptions = Pick<OperationSpec, 'filter' | 'dryRun' | 'rate' | 'force' | 'to'>;

/** Throws InvalidOptionError, before anything is stored. */
export function checkedOptions(kind: OperationSpec['kind'], options: Given): CheckedOptions {
  const own = { redrive: ['force'], purge: [], export: ['to'] }[kind];
  checkOptions(kind, options, ['filter', 'dryRun', 'rate', ...own]);
  const { filter = {}, dryRun = false, force = false, rate, to } = options;
  checkDeadLetterFilter(filter);
  for (const [name, value] of Object.entries({ dryRun, force }))
    if (typeof value !== 'boolean') throw new InvalidOptionError(`${kind}.${name}`, value, 'must be true or false');
  if (kind === 'export') checkTarget(to);
  return { filter, dryRun, force, to, rate: rate === undefined ? undefined : checkedRate(`${kind}.rate`, rate) };
}

function checkedRate(option: string, rate: NonNullable<OperationOptions['rate']>): Rate {
  checkOptions(option, rate, ['max', 'per']);
  const perMs = toMs(`${option}.per`, rate.per);
  if (perMs < 1) throw new InvalidOptionError(`${option}.per`, rate.per, 'must be at least 1 ms');
  return { max: checkInteger(`${option}.max`, rate.max, 1, 1_000_000), perMs };
}

function checkTarget(to: unknown): void {
  if (typeof to === 'string' && to !== '') return;
  if (typeof to === 'object' && to !== null) {
    checkOptions('export.to', to, ['file']);
    const { file } = to as { file?: unknown };
    if (typeof file === 'string' && file !== '') return;
  }
  throw new InvalidOptionError('export.to', to, 'must be the name of a sink, or { file }');
}
