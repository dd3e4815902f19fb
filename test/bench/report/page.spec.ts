import { describe, expect, it } from '@jest/globals';
import type { Part } from '../scenario.js';
import { compare, without } from '../verdict.js';
import { replaceSection, section } from './page.js';

const send: Part = { id: 'B1', title: 'send()', unit: 'msg/s', bars: { raw: 0.75, queue: 2 } };
const bytes: Part = { id: 'B7.bytes', title: 'memory', unit: 'B', lowerIsBetter: true, bars: { queue: 0.6 } };
const about = { date: '2026-11-21', machine: '2 cores', versions: ['Node 20.1.0', 'Redis 7.0.5'], rounds: 3 };
const rows = [
  compare(send, 3, 'raw', 8_000, 10_000, 0.75),
  { ...compare(send, 3, 'queue', 8_000, 5_000, 2), settings: 'synced before it answers' },
  without(send, 'absent', 8_000, { skipped: 'no package' }),
  { ...compare(bytes, 3, 'queue', 400, 1_000, 0.6), settings: 'synced before it answers' },
];
const written = section(rows, [send, bytes], about, [
  { file: 'backlog.svg', title: 'Cost', svg: '<svg/>' },
  { file: 'groups.svg', title: 'Groups' },
]);

describe('the section that the benchmark writes', () => {
  it('says when, where and with what the figures were measured', () => {
    expect(written).toContain('## Figures of 2026-11-21');
    expect(written).toContain('Machine: 2 cores.');
    expect(written).toContain('Versions: Node 20.1.0, Redis 7.0.5.');
    expect(written).toContain('Medians of 3 rounds');
  });

  it('says each setting of a peer once', () => {
    expect(written.match(/- queue: synced before it answers/g)).toHaveLength(1);
  });

  it('counts the bars met, and names those missed', () => {
    expect(written).toContain('**2 of 3 bars met.** Missed: B1 against queue.');
    expect(written).toContain('1 comparisons could not be made');
  });

  it('has a row for each comparison, with ratio, bar and outcome', () => {
    const lines = written
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    expect(lines.slice(2)).toEqual([
      ['', 'B1 send()', '8,000', 'raw', '10,000', 'msg/s', '0.80 ×', '≥ 0.75 ×', 'met', ''],
      ['', '', '', 'queue', '5,000', 'msg/s', '1.60 ×', '≥ 2 ×', '**missed**', ''],
      ['', '', '', 'absent', '–', 'msg/s', '–', '', 'skipped: no package', ''],
      ['', 'B7.bytes memory', '400', 'queue', '1,000', 'B', '0.40 ×', '≤ 0.6 ×', 'met', ''],
    ]);
  });

  it('shows the curves that were drawn, and no others', () => {
    expect(written).toContain('![Cost](benchmarks/backlog.svg)');
    expect(written).not.toContain('groups.svg');
  });
});

describe('the page of benchmarks', () => {
  const [begin, end] = ['<!-- written by the benchmark: begin -->', '<!-- written by the benchmark: end -->'];

  it('keeps what stands around the markers', () => {
    const page = `# Benchmarks\n\n${begin}\nold\n${end}\n\n## By hand\n`;
    expect(replaceSection(page, 'new\n')).toBe(`# Benchmarks\n\n${begin}\n\nnew\n\n${end}\n\n## By hand\n`);
  });

  it('stays the same when it is written twice', () => {
    const once = replaceSection(`${begin}\n${end}\n`, 'new');
    expect(replaceSection(once, 'new')).toBe(once);
  });

  it.each(['no markers', `${begin} no end`, `${end} ${begin}`, `${begin}${end}${begin}${end}`])(
    'is not written when its markers are wrong: %s',
    (page) => expect(() => replaceSection(page, 'new')).toThrow('the page needs one'),
  );
});
