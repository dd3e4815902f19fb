import { commitLatency, relaying } from '../peers/outbox.js';
import type { Bench, Scenario } from '../scenario.js';

const KEYS = 1_000;
const PER_SECOND = 200;
const rows = ({ scale }: Bench): number => 1_000 * Math.max(Math.round(50 * scale), 5);
const commits = ({ scale }: Bench): number => Math.max(Math.round(2_000 * scale), 200);

export const relayRows: Scenario = {
  id: 'B12.rows',
  title: 'outbox on PostgreSQL: rows relayed by one relay, backlog 50 k',
  unit: 'msg/s',
  bars: {},
  ownBar: 10_000,
  ours: (bench) => relaying(bench, rows(bench), 0),
  theirs: [],
};

export const relayOrderedRows: Scenario = {
  ...relayRows,
  id: 'B12.ordered',
  title: `outbox on PostgreSQL: rows of ${KEYS} ordering keys relayed by one relay`,
  ours: (bench) => relaying(bench, rows(bench), KEYS),
};

export const commitToHandler: Scenario = {
  id: 'B12.p50',
  title: `outbox on PostgreSQL: commit → handler at ${PER_SECOND} transactions/s, median`,
  unit: 'ms',
  lowerIsBetter: true,
  bars: {},
  ownBar: 10,
  ours: (bench) => commitLatency(bench, commits(bench), PER_SECOND, 0.5),
  theirs: [],
};
