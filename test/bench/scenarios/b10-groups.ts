import { consuming, groupsConsuming } from '../peers/millrace.js';
import type { Bench, Scenario } from '../scenario.js';

const GROUPS = 10;
const CONCURRENCY = 100;
const count = ({ scale }: Bench): number => 1_000 * Math.max(Math.round(20 * scale), 2);

export const manyGroups: Scenario = {
  id: 'B10',
  title: `${GROUPS} groups on one topic, deliveries in all`,
  unit: 'msg/s',
  bars: { 'one group': 0.9 },
  ours: (bench) => groupsConsuming(bench, count(bench), GROUPS, CONCURRENCY),
  theirs: [async (bench) => ({ ...(await consuming(bench, GROUPS * count(bench), CONCURRENCY)), name: 'one group' })],
};
