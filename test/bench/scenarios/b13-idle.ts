import { idling, timers } from '../peers/millrace.js';
import type { Bench, Scenario } from '../scenario.js';

const durationMs = ({ scale }: Bench): number => 10_000 * Math.max(scale, 0.3);

export const idleListeners: Scenario = {
  id: 'B13',
  title: 'CPU of a process with 50 listeners and no traffic',
  unit: '% of a core',
  lowerIsBetter: true,
  bars: {},
  ownBar: 1,
  ours: (bench) => idling(bench, 50, durationMs(bench)),
  theirs: [(bench) => timers(durationMs(bench))],
};
