// Runs one scenario and judges it. Whatever happens, nothing of it stays behind.
import { judge, type Row, type SkippedRow } from './row.js';
import type { Scenario } from './scenario.js';
import { Stage } from './stage/stage.js';

export interface RunOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** A scenario that hangs is ended, and that is a finding. */
const PATIENCE_MS = 240_000;

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Row | SkippedRow> {
  const { id, title } = scenario;
  const skipped = await scenario.skip?.();
  if (skipped !== undefined) return { scenario: id, title, skipped };
  const started = performance.now();
  const seconds = options.seconds * (scenario.timeFactor ?? 1);
  const hung = AbortSignal.timeout(seconds * 2000 + PATIENCE_MS);
  const stage = new Stage({ ...options, id, seconds, signal: AbortSignal.any([options.signal, hung]) });
  try {
    await scenario.run(stage).catch((error: unknown) => {
      options.signal.throwIfAborted();
      stage.problems.push(hung.aborted ? 'it did not come to an end' : ((error as Error).stack ?? String(error)));
    });
    return judge(stage, scenario, (performance.now() - started) / 1000);
  } finally {
    await stage.close();
  }
}
