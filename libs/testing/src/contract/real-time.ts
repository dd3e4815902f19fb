// Time of a subject on a real server: it passes by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContractSubject } from './contract-subject.js';

/** `{ ports, close, ...realTime }` is a subject whose server goes by this machine's clock. */
export const realTime: Pick<ContractSubject, 'advance' | 'now'> = {
  now: () => Date.now(),
  advance: (ms) => sleep(ms),
};
