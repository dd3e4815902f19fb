// What a message costs must not depend on how many others are stored.
import { firing } from '../peers/delayed.js';
import { draining } from '../peers/millrace.js';
import type { Bench, Contender, Scenario } from '../scenario.js';

/** Other messages in a full run. */
export const MOST = 1_000_000;
/** The smallest is the yardstick, those between make the curve. */
export const SMALLER = [
  { name: 'a thousandth of it', part: 1_000 },
  { name: 'a hundredth of it', part: 100 },
  { name: 'a tenth of it', part: 10 },
] as const;

const most = ({ scale }: Bench): number => Math.round(MOST * scale);
const handled = ({ scale }: Bench): number => Math.max(Math.round(20_000 * scale), 2_000);

const curve = (work: (bench: Bench, others: number) => Promise<Contender>): Scenario['theirs'] =>
  SMALLER.map(({ name, part }) => async (bench) => ({ ...(await work(bench, most(bench) / part)), name }));

const bars = { [SMALLER[0].name]: 0.83 };

export const growingBacklog: Scenario = {
  id: 'B9.ready',
  title: 'consuming with a backlog of 1,000,000 against smaller ones',
  unit: 'msg/s',
  bars,
  ours: (bench) => draining(bench, handled(bench), most(bench)),
  theirs: curve((bench, others) => draining(bench, handled(bench), others)),
};

export const growingSchedule: Scenario = {
  id: 'B9.delayed',
  title: 'messages falling due with 1,000,000 others pending against fewer',
  unit: 'msg/s',
  bars,
  ours: (bench) => firing(bench, handled(bench), most(bench)),
  theirs: curve((bench, others) => firing(bench, handled(bench), others)),
};
