// One row of the report: what a scenario did and what the checker found.
import { Checker, type Findings } from './checker/checker.js';
import { leaks } from './checker/conservation.js';
import { readHistory } from './history/history-file.js';
import type { Stage } from './stage/stage.js';
import { stories } from './story.js';

export interface Row extends Omit<Findings, 'examples'> {
  scenario: string;
  title: string;
  seed: number;
  seconds: number;
  faults: number;
  /** From the last fault to an empty backlog; undefined when it never was. */
  drainedMs?: number;
  figures: Record<string, number | string>;
  /** Empty when everything held. */
  violations: string[];
}

export interface SkippedRow {
  scenario: string;
  title: string;
  skipped: string;
}

export function judge(stage: Stage, scenario: { id: string; title: string }, seconds: number): Row {
  const checker = new Checker(stage.rules);
  for (const event of readHistory(stage.historyFolder)) checker.take(event);
  const { examples, ...found } = checker.findings();
  const conservation = stage.countersAreLost ? [] : stage.stats.flatMap(leaks);
  return {
    scenario: scenario.id,
    title: scenario.title,
    seed: stage.options.seed,
    seconds: Number(seconds.toFixed(1)),
    faults: stage.faults,
    drainedMs: stage.drainedMs,
    ...found,
    figures: stage.figures,
    violations: [
      ...violations({ ...found, examples }),
      ...conservation,
      ...acceptedAsTold(stage, found),
      ...stage.problems,
      ...(found.messages > 0 ? [] : ['no message was sent: nothing was tested']),
      ...(stage.faults > 0 ? [] : ['no fault struck: nothing was tested']),
      ...examples,
      ...stories(examples, readHistory(stage.historyFolder)),
    ],
  };
}

/** What must be 0, in words. */
export function violations(found: Findings): string[] {
  const zero: [number, string][] = [
    [found.lost, 'lost'],
    [found.unexpected, 'unexpected'],
    [found.reordered, 'reordered'],
    [found.overlapping, 'overlapping handlers of a key'],
    [found.early, 'early'],
    [found.changed, 'changed on the way'],
    [found.misjudged, 'misjudged'],
    [found.wrongEffects, 'with other than one effect'],
    [found.misfenced, 'misfenced'],
    [found.repeated, 'handled twice'],
  ];
  return zero.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
}

/** The server has stored what it acknowledged, and nothing that it refused. */
function acceptedAsTold({ stats, countersAreLost, rules }: Stage, found: Omit<Findings, 'examples'>): string[] {
  if (countersAreLost || stats.length === 0) return [];
  const accepted = stats.reduce((sum, topic) => sum + topic.accepted, 0);
  const foreign = rules.foreignMessages ?? 0;
  const [least, most] = [found.acknowledged + foreign, found.acknowledged + found.unknown + foreign];
  return accepted >= least && accepted <= most
    ? []
    : [`the topic accepted ${accepted}, producers heard of ${least} and do not know of ${most - least}`];
}
