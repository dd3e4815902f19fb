import { idling } from '../peers/millrace.js';
import type { Scenario } from '../scenario.js';

export const idleListeners: Scenario = {
  id: 'B13',
  title: 'CPU of a process with 50 listeners and no traffic',
  unit: '% of a core',
  lowerIsBetter: true,
  bars: {},
  ownBar: 1,
  ours: (bench) => idling(bench, 50, 10_000 * Math.max(bench.scale, 0.3)),
  theirs: [],
};
