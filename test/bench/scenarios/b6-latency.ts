import { latency } from '../peers/millrace-latency.js';
import { rawLatency } from '../peers/raw-latency.js';
import type { Bench, Scenario } from '../scenario.js';

const PER_SECOND = 1_000;
const count = ({ scale }: Bench): number => Math.max(Math.round(5_000 * scale), 500);

const shared = { unit: 'ms', lowerIsBetter: true } as const;
const RAW = 'ioredis loop, median';

export const latencies: Scenario = {
  ...shared,
  id: 'B6',
  title: `send → handler at ${PER_SECOND} msg/s`,
  bars: {},
  parts: [
    { ...shared, id: 'B6.p50', title: `send → handler at ${PER_SECOND} msg/s, median`, bars: { [RAW]: 1.5 } },
    {
      ...shared,
      id: 'B6.p99',
      title: `send → handler at ${PER_SECOND} msg/s, 99th percentile against the median of a raw loop`,
      bars: { [RAW]: 5 },
    },
  ],
  ours: (bench) => latency(bench, count(bench), PER_SECOND, [0.5, 0.99]),
  theirs: [(bench) => rawLatency(bench, RAW, count(bench), PER_SECOND)],
};
