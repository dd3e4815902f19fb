// One property: whatever is told to a broker, it answers and counts as the model does. `MODEL_SEED`, `MODEL_RUNS` and
// `MODEL_COMMANDS` make a longer run; a failure prints seed and path: `MODEL_PATH` repeats it at once.
import fc from 'fast-check';
import { BrokerModel } from './broker-model.js';
import type { BrokerCommand } from './command.js';
import { Own } from './owning.js';
import { finish } from './finish.js';
import { SHAPES, type Shape } from './shape.js';
import { THEMES } from './themes.js';
import { OWNING, World, type Store } from './world.js';

const { MODEL_SEED, MODEL_RUNS, MODEL_COMMANDS, MODEL_PATH } = process.env;
const SEED = Number(MODEL_SEED ?? 20_261_121);
const LONGEST = Number(MODEL_COMMANDS ?? 100);

/** @param runs unless MODEL_RUNS says otherwise */
export function runsOf(runs: number): number {
  return Number(MODEL_RUNS ?? runs);
}

type Told = [shape: Shape, commands: Iterable<BrokerCommand>];

/**
 * Throws with the shortest story that was found.
 * @param budgetMs what does not begin within it is left out, so that a busy machine is not kept for long; not with MODEL_RUNS
 */
export async function play(open: () => Store, runs: number, budgetMs: number): Promise<void> {
  const ends = MODEL_RUNS === undefined ? performance.now() + budgetMs : Infinity;
  await fc.assert(property(open, ends), { seed: SEED, numRuns: runsOf(runs), path: MODEL_PATH });
}

/** What happened, for specs of the model itself. */
export async function attempt(open: () => Store, runs: number, seed: number): Promise<fc.RunDetails<Told>> {
  return fc.check(property(open), { seed, numRuns: runs });
}

function property(open: () => Store, ends = Infinity): fc.IAsyncProperty<Told> {
  // Without bias: stories that are short by design are for shrinking.
  const commands = fc.noBias(
    fc.oneof(...THEMES.map((theme) => fc.commands(theme, { maxCommands: LONGEST, size: 'max' }))),
  );
  return fc.asyncProperty(fc.constantFrom(...SHAPES), commands, async (shape, some) => {
    if (performance.now() > ends) return;
    const world = await World.open(open(), shape);
    const model = new BrokerModel(shape, world.now());
    try {
      await new Own(OWNING[0]!, 'all').run(model, world);
      await fc.asyncModelRun(() => ({ model, real: world }), some);
      await finish(model, world);
    } finally {
      await world.close();
    }
  }) as unknown as fc.IAsyncProperty<Told>;
}
