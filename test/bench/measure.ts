// Ours and theirs in turn, several rounds, medians: what disturbs the machine disturbs everybody.
import { PeerUnavailableError, type Bench, type Contender, type Part, type Scenario } from './scenario.js';
import { compare, median, OWN_BAR, without, type Comparison } from './verdict.js';

export interface Rounds {
  readonly measured: number;
  /** Before them, not counted: code gets compiled, scripts loaded, sockets opened. */
  readonly warmUps: number;
}

/** A contender, what it achieved so far, and why it is out. */
interface Entry {
  readonly name: string;
  readonly contender?: Contender;
  /** Of each measured round the figure of each part. */
  readonly figures: (readonly number[])[];
  skipped?: string;
  failed?: string;
}

/** Throws when ours fails; a peer that fails or is missing has a row that says so. */
export async function measure(scenario: Scenario, bench: Bench, rounds: Rounds): Promise<Comparison[]> {
  const entries: Entry[] = [];
  const former = await configure(bench, scenario.server ?? {});
  try {
    entries.push(await enter((own) => scenario.ours(own), bench));
    for (const open of scenario.theirs) entries.push(await enter(open, bench));
    for (let round = 0; round < rounds.warmUps + rounds.measured; round++) {
      for (const entry of entries)
        await oneRun(entry, entry === entries[0], scenario.id, bench, round >= rounds.warmUps);
    }
  } finally {
    for (const { contender } of entries) if (contender) await closed(contender);
    await configure(bench, former);
  }
  const [ours, ...theirs] = entries as [Entry, ...Entry[]];
  return (scenario.parts ?? [scenario]).flatMap((part, index) => judge(part, index, rounds.measured, ours, theirs));
}

async function enter(open: Scenario['theirs'][number], bench: Bench): Promise<Entry> {
  try {
    const contender = await open(bench);
    return { name: contender.name, contender, figures: [] };
  } catch (error) {
    if (error instanceof PeerUnavailableError) return { name: error.peer, figures: [], skipped: error.reason };
    throw error;
  }
}

async function oneRun(entry: Entry, isOurs: boolean, id: string, bench: Bench, counts: boolean): Promise<void> {
  const { contender } = entry;
  if (!contender || entry.failed !== undefined) return;
  try {
    await bench.redis.flushall();
    await contender.prepare?.();
    const figure = await withinDeadline(id, contender);
    if (counts) entry.figures.push(typeof figure === 'number' ? [figure] : figure);
  } catch (error) {
    if (isOurs) throw error;
    entry.failed = error instanceof Error ? error.message : String(error);
  } finally {
    await contender.rest?.();
  }
}

function judge(part: Part, index: number, runs: number, ours: Entry, theirs: readonly Entry[]): Comparison[] {
  const figureOf = ({ figures }: Entry): number => median(figures.map((parts) => parts[index]!));
  const own = figureOf(ours);
  const rows = theirs.map((entry): Comparison => {
    const { name, contender, skipped, failed } = entry;
    if (skipped !== undefined || failed !== undefined) return without(part, name, own, { skipped, failed });
    const row = compare(part, runs, name, own, figureOf(entry), part.bars[name]);
    return { ...row, settings: contender?.settings };
  });
  if (part.ownBar !== undefined) rows.push(compare(part, runs, OWN_BAR, own, part.ownBar, 1));
  return rows;
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
const CLOSE_MS = 10_000;

async function withinDeadline(scenario: string, contender: Contender): Promise<number | readonly number[]> {
  return limited(contender.run(), DEADLINE_MS, () => {
    throw new Error(`${scenario}: ${contender.name} has not finished within ${DEADLINE_MS} ms`);
  });
}

/** A contender that failed may never end in good order. */
async function closed(contender: Contender): Promise<void> {
  await limited(
    contender.close().catch(() => undefined),
    CLOSE_MS,
    () => undefined,
  );
}

async function limited<T>(work: Promise<T>, ms: number, onLate: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  return Promise.race([work, late.then(onLate)]).finally(() => clearTimeout(timer));
}
