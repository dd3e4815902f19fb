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
  /** Undefined when there is no bar. */
  readonly met?: boolean;
}

/** The name of a row that holds our figure against an absolute bar. */
export const OWN_BAR = '(absolute bar)';

export async function measure(scenario: Scenario, bench: Bench, rounds: number): Promise<Comparison[]> {
  const ours = await scenario.ours(bench);
  const theirs: Contender[] = [];
  for (const open of scenario.theirs) theirs.push(await open(bench));
  const contenders = [ours, ...theirs];
  const former = await configure(bench, scenario.server ?? {});
  const figures = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  try {
    // The first round only warms up: code gets compiled, scripts loaded, sockets opened.
    for (let round = 0; round <= rounds; round++) {
      for (const contender of contenders) {
        await bench.redis.flushall();
        await contender.prepare?.();
        const figure = await withinDeadline(scenario.id, contender);
        if (round > 0) figures.get(contender)!.push(figure);
      }
    }
  } finally {
    for (const contender of contenders) await contender.close();
    await configure(bench, former);
  }
  const own = median(figures.get(ours)!);
  const rows = theirs.map((peer) =>
    compare(scenario, rounds, peer.name, own, median(figures.get(peer)!), scenario.bars[peer.name]),
  );
  if (scenario.ownBar !== undefined) rows.push(compare(scenario, rounds, OWN_BAR, own, scenario.ownBar, 1));
  return rows;
}

function compare(
  { id, unit, lowerIsBetter = false }: Scenario,
  runs: number,
  peer: string,
  ours: number,
  theirs: number,
  bar?: number,
): Comparison {
  const ratio = rounded(ours / theirs);
  const met = bar === undefined ? undefined : lowerIsBetter ? ratio <= bar : ratio >= bar;
  return { scenario: id, peer, ours: rounded(ours), theirs: rounded(theirs), ratio, unit, runs, bar, met };
}

/** Rates need no decimals, milliseconds do. */
function rounded(value: number): number {
  return value >= 1000 ? Math.round(value) : Number(value.toFixed(2));
}

/** Changes settings of the server; returns what they were. */
async function configure(
  { redis }: Bench,
  settings: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const former: Record<string, string> = {};
  for (const [name, value] of Object.entries(settings)) {
    const reply = await redis.config('GET', name);
    former[name] = reply[1]!;
    await redis.config('SET', name, value);
  }
  return former;
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
