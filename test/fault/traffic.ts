// The usual listeners of the scenarios; each says only where it differs.
import type { ListeningConfig } from './member/member-config.js';

export const LEASE_MS = 1_500;

const USUAL = { topic: 'orders', lease: `${LEASE_MS}ms`, workMs: [1, 10], backoffMs: 100, maxCrashes: 1_000 } as const;

export function concurrent(number: number, changes: Partial<ListeningConfig> = {}): ListeningConfig {
  return { ...USUAL, group: 'billing', number, mode: 'concurrent', concurrency: 20, ...changes };
}

export function ordered(number: number, changes: Partial<ListeningConfig> = {}): ListeningConfig {
  return { ...USUAL, group: 'shipping', number, mode: 'ordered', concurrency: 20, ...changes };
}
