// Ours and theirs in turn, several rounds, medians: what disturbs the machine disturbs everybody.
import type { Bench, Contender, Scenario } from './scenario.js';

export interface Comparison {
  readonly scenario: string;
  readonly peer: string;
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
  readonly unit: string;
  readonly runs: number;
  /** The design bar for this ratio; undefined when there is none. */
  readonly bar?: number;
}

export async function measure(scenario: Scenario, bench: Bench, rounds: number): Promise<Comparison[]> {
  const ours = await scenario.ours(bench);
  const theirs: Contender[] = [];
  for (const open of scenario.theirs) theirs.push(await open(bench));
  const contenders = [ours, ...theirs];
  const rates = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  try {
    // The first round only warms up: code gets compiled, scripts loaded, sockets opened.
    for (let round = 0; round <= rounds; round++) {
      for (const contender of contenders) {
        await bench.redis.flushall();
        await contender.prepare?.();
        const rate = await withinDeadline(scenario.id, contender);
        if (round > 0) rates.get(contender)!.push(rate);
      }
    }
  } finally {
    for (const contender of contenders) await contender.close();
  }
  const own = median(rates.get(ours)!);
  return theirs.map((peer) => {
    const other = median(rates.get(peer)!);
    return {
      scenario: scenario.id,
      peer: peer.name,
      ours: Math.round(own),
      theirs: Math.round(other),
      ratio: Number((own / other).toFixed(2)),
      unit: scenario.unit,
      runs: rounds,
      bar: scenario.bars[peer.name],
    };
  });
}

/** A run that lost something waits for ever; the benchmark says so instead. */
const DEADLINE_MS = 120_000;

async function withinDeadline(scenario: string, contender: Contender): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    const late = new Error(`${scenario}: ${contender.name} has not finished within ${DEADLINE_MS} ms`);
    timer = setTimeout(() => reject(late), DEADLINE_MS);
  });
  return Promise.race([contender.run(), over]).finally(() => clearTimeout(timer));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
