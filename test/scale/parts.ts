// All parts of a scale run, in the order they run; each with a server of its own.
import type { Claim } from './claim.js';
import type { Ground } from './ground.js';
import { expiredGroup } from './parts/expired-group.js';
import { keyed } from './parts/keyed.js';
import { pending } from './parts/pending.js';
import { virtualTime } from './parts/virtual-time.js';

export type Part = (ground: Ground) => Promise<Claim[]>;

export const PARTS: Readonly<Record<string, Part>> = {
  virtual: virtualTime,
  pending,
  keyed,
  group: expiredGroup,
};
