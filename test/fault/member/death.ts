// How a process of a run dies by its own hand: SIGKILL, at a named point, when it comes by there for the nth time.
import type { Death } from './member-config.js';

let death: { readonly at: Death; passes: number } | undefined;

/** @param passes how often it comes by before it dies there, this time included */
export function dieAt(at: Death, passes = 1): void {
  death = { at, passes };
}

export function passing(point: Death): void {
  if (death?.at !== point || --death.passes > 0) return;
  process.kill(process.pid, 'SIGKILL');
}
