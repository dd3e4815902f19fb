import { lateness } from '../peers/delayed.js';
import type { Scenario } from '../scenario.js';

const PER_SECOND = 5_000;

export const lateDelivery: Scenario = {
  id: 'B8',
  title: `delayed messages, ${PER_SECOND} due a second: lateness of the handler, 99th percentile`,
  unit: 'ms',
  lowerIsBetter: true,
  bars: {},
  ownBar: 20,
  ours: (bench) => lateness(bench, Math.round(20_000 * bench.scale), PER_SECOND),
  theirs: [],
};
