// One comparison as a line on the terminal.
import type { Comparison } from '../verdict.js';

/** @param withId when the scenario's rows compare different figures */
export function comparisonLine(row: Comparison, withId: boolean): string {
  const { scenario, peer, ours, theirs, ratio, unit, bar, met, skipped, failed } = row;
  const name = (withId ? `${scenario.slice(scenario.lastIndexOf('.') + 1)} ${peer}` : peer).padEnd(26);
  if (failed !== undefined) return `    ${name} FAILED: ${failed}`;
  if (skipped !== undefined) return `    ${name} skipped: ${skipped}`;
  const judged = bar === undefined ? '' : `   bar ${bar} ×: ${met ? 'met' : 'MISSED'}`;
  return `    ${name} ours ${figure(ours)}  theirs ${figure(theirs)} ${unit}   ${ratio?.toFixed(2)} ×${judged}`;
}

function figure(value: number | null): string {
  return (value ?? Number.NaN).toLocaleString('en-US').padStart(9);
}
