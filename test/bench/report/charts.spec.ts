import { describe, expect, it } from '@jest/globals';
import type { Part } from '../scenario.js';
import { growingBacklog, growingSchedule } from '../scenarios/b9-growth.js';
import { manyGroups } from '../scenarios/b10-groups.js';
import { payloads } from '../scenarios/b14-payload.js';
import { compare, type Comparison } from '../verdict.js';
import { pictures } from './charts.js';

const row = (scenario: string, peer: string, ours: number, theirs: number): Comparison =>
  compare({ id: scenario, title: '', unit: 'msg/s', bars: {} } satisfies Part, 3, peer, ours, theirs);
const described = (rows: Comparison[], file: string): string | undefined =>
  /<desc>(.*)<\/desc>/.exec(pictures(rows).find((one) => one.file === file)?.svg ?? '')?.[1];

describe('the pictures of a run', () => {
  it('show the cost of a message over the size of the backlog', () => {
    const rows = [
      row('B9.ready', 'a thousandth of it', 50_000, 100_000),
      row('B9.ready', 'a tenth of it', 50_000, 80_000),
    ];
    expect(described(rows, 'backlog.svg')).toBe('ready: 10 at 1,000, 12.5 at 100,000, 20 at 1,000,000.');
  });

  it('show the deliveries of all groups over their number', () => {
    const rows = [row('B10', 'one group', 90, 100), row('B10', '5 groups', 90, 95)];
    expect(described(rows, 'groups.svg')).toBe('all groups together: 100 at 1, 95 at 5, 90 at 10.');
  });

  it('show ratios over sizes, a line for each kind of content and direction', () => {
    const rows = [
      row('B14.text.128.enqueue', 'rabbitmq quorum', 40, 10),
      row('B14.text.1024.enqueue', 'rabbitmq quorum', 30, 10),
      row('B14.random.128.dequeue', 'rabbitmq quorum', 20, 10),
    ];
    expect(described(rows, 'payload.svg')).toBe(
      'enqueue, text: 4 at 128, 3 at 1,024. dequeue, random bytes: 2 at 128.',
    );
  });

  it('are left out where the run has no figures for a curve', () => {
    expect(pictures([]).map(({ svg }) => svg)).toEqual([undefined, undefined, undefined]);
    expect(described([row('B10', 'rabbitmq quorum', 90, 100)], 'groups.svg')).toBeUndefined();
  });

  it('look for figures by the names that the scenarios have', () => {
    const scenarios = [growingBacklog, growingSchedule, manyGroups, ...payloads];
    const ids = scenarios.flatMap((scenario) => scenario.parts ?? [scenario]).map(({ id }) => id);
    for (const id of ['B9.ready', 'B9.delayed', 'B10', 'B14.text.128.enqueue', 'B14.random.102400.dequeue'])
      expect(ids).toContain(id);
    expect(Object.keys({ ...growingBacklog.bars, ...manyGroups.bars })).toEqual(['a thousandth of it', 'one group']);
  });
});
