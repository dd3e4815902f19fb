import { orderedConsuming, type OrderedLoad } from '../peers/ordered.js';
import type { Bench, Scenario } from '../scenario.js';

const load = ({ scale }: Bench, poisoned: number): OrderedLoad => ({
  keys: 1000,
  perKey: Math.max(2, Math.round(60 * scale)),
  poisoned,
  concurrency: 100,
});

/** What the others lose by one key that only fails, with so many messages behind it. */
const POISONED = 5_001;

export const poisonKey: Scenario = {
  id: 'B15',
  title: 'ordered, 1,000 keys, concurrency 100; one more key fails with 5,000 messages behind it',
  unit: 'msg/s',
  bars: { 'without that key': 0.9 },
  ours: (bench) => orderedConsuming(bench, 'millrace', load(bench, POISONED)),
  theirs: [(bench) => orderedConsuming(bench, 'without that key', load(bench, 0))],
};
