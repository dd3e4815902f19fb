// What a message costs must not depend on how many others are stored.
import { firing } from '../peers/delayed.js';
import { draining } from '../peers/millrace.js';
import type { Bench, Contender, Scenario } from '../scenario.js';

const SMALL = 1_000;
const large = ({ scale }: Bench): number => Math.round(1_000_000 * scale);
const part = ({ scale }: Bench): number => Math.max(Math.round(20_000 * scale), 2_000);

const named = async (name: string, contender: Promise<Contender>): Promise<Contender> => ({
  ...(await contender),
  name,
});

export const growingBacklog: Scenario = {
  id: 'B9.ready',
  title: 'consuming with a backlog of 1 M against one that is nearly empty',
  unit: 'msg/s',
  bars: { 'nearly empty': 0.83 },
  ours: (bench) => draining(bench, part(bench), large(bench)),
  theirs: [(bench) => named('nearly empty', draining(bench, part(bench), SMALL))],
};

export const growingSchedule: Scenario = {
  id: 'B9.delayed',
  title: 'messages falling due with 1 M others pending against 1 k others',
  unit: 'msg/s',
  bars: { '1 k pending': 0.83 },
  ours: (bench) => firing(bench, part(bench), large(bench)),
  theirs: [(bench) => named('1 k pending', firing(bench, part(bench), SMALL))],
};
