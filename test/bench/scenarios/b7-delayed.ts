import { bullmqFiring, bullmqScheduling, firing, scheduling } from '../peers/delayed.js';
import type { Bench, Scenario } from '../scenario.js';

const count = ({ scale }: Bench): number => 1_000 * Math.max(Math.round(20 * scale), 2);

export const schedule: Scenario = {
  id: 'B7.schedule',
  title: 'sendAll() of delayed messages',
  unit: 'msg/s',
  bars: { 'bullmq delayed addBulk': 2 },
  ours: (bench) => scheduling(bench, count(bench), 'rate'),
  theirs: [(bench) => bullmqScheduling(bench, count(bench), 'rate')],
};

export const fire: Scenario = {
  id: 'B7.fire',
  title: 'delayed messages that fall due at one instant: promoted and handled',
  unit: 'msg/s',
  bars: { 'bullmq delayed, worker': 2 },
  ours: (bench) => firing(bench, count(bench)),
  theirs: [(bench) => bullmqFiring(bench, count(bench))],
};

export const delayedBytes: Scenario = {
  id: 'B7.bytes',
  title: 'memory of a scheduled message with a 200-byte body',
  unit: 'B',
  lowerIsBetter: true,
  bars: { 'bullmq delayed addBulk': 0.6 },
  ours: (bench) => scheduling(bench, count(bench), 'bytes'),
  theirs: [(bench) => bullmqScheduling(bench, count(bench), 'bytes')],
};
