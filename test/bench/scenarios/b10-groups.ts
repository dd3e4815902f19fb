import { groupsConsuming } from '../peers/millrace.js';
import type { Bench, Contender, Scenario } from '../scenario.js';

export const GROUPS = 10;
export const FEWER = [1, 2, 5];
const CONCURRENCY = 100;
const deliveries = ({ scale }: Bench): number => 10_000 * Math.max(Math.round(20 * scale), 2);

/** As the points of the curve are named. */
export const groupsName = (groups: number): string => (groups === 1 ? 'one group' : `${groups} groups`);

const shared = async (bench: Bench, groups: number): Promise<Contender> => ({
  ...(await groupsConsuming(bench, deliveries(bench) / groups, groups, CONCURRENCY)),
  name: groupsName(groups),
});

export const manyGroups: Scenario = {
  id: 'B10',
  title: `${GROUPS} groups on one topic against fewer, deliveries in all`,
  unit: 'msg/s',
  bars: { [groupsName(1)]: 0.9 },
  ours: (bench) => shared(bench, GROUPS),
  theirs: FEWER.map((groups) => (bench) => shared(bench, groups)),
};
