// The judge of the virtual run: each kind of violation is planted once in a clean course of events, and must be found, alone.
import { describe, expect, it } from '@jest/globals';
import { DueLedger, type DueFindings } from './due-ledger.js';

const VIOLATIONS = ['early', 'late', 'lost', 'unexpected', 'disordered', 'misanswered'] as const;

interface Course {
  /** Due times by number. @default 10, 20, … */
  due?: number[];
  /** What happens before the look at an instant, by instant. */
  before?: Record<number, (ledger: DueLedger) => void>;
  /** What is delivered at the look at an instant, by instant: numbers, all in queue 0. */
  delivered?: Record<number, number[]>;
}

/** Looks at 10, 20, 30, 40 and 50. Message n is due at 10 (n + 1), and is delivered then. */
function course({ due = [10, 20, 30, 40], before = {}, delivered = {} }: Course): DueFindings {
  const ledger = new DueLedger(due.length);
  due.forEach((at, n) => ledger.scheduled(n, at));
  for (let now = 10; now <= 50; now += 10) {
    ledger.looks(now);
    before[now]?.(ledger);
    const usual = due.flatMap((at, n) => (at === now ? [n] : []));
    for (const n of delivered[now] ?? usual) ledger.delivered(n, 0);
  }
  return ledger.findings();
}

function violations(found: DueFindings): Partial<DueFindings> {
  return Object.fromEntries(VIOLATIONS.filter((name) => found[name] > 0).map((name) => [name, found[name]]));
}

describe('the ledger of due messages', () => {
  it('finds nothing in a clean course of events, cancels and moves included', () => {
    const found = course({
      before: {
        10: (ledger) => {
          ledger.cancelled(1);
          ledger.moved(2, 50);
          ledger.refused(0);
        },
      },
      delivered: { 20: [], 30: [], 50: [2] },
    });
    expect(violations(found)).toEqual({});
    expect(found).toMatchObject({ scheduled: 4, cancelled: 1, moved: 1, refused: 1, delivered: 3 });
  });

  it('takes messages that are due in one ms in any order', () => {
    expect(violations(course({ due: [10, 20, 20, 40], delivered: { 20: [2, 1] } }))).toEqual({});
  });

  it('compares the order inside a queue only', () => {
    const ledger = new DueLedger(2);
    ledger.scheduled(0, 10);
    ledger.scheduled(1, 9);
    ledger.looks(10);
    ledger.delivered(0, 0);
    ledger.delivered(1, 1);
    expect(violations(ledger.findings())).toEqual({});
  });

  const planted: [string, Course, Partial<DueFindings>][] = [
    ['one that comes before it is due', { delivered: { 10: [0, 1], 20: [] } }, { early: 1 }],
    [
      'one that comes before the instant it was moved to',
      { before: { 10: (ledger) => ledger.moved(3, 50) } },
      { early: 1 },
    ],
    ['one that comes a look too late', { delivered: { 40: [], 50: [3] } }, { late: 1 }],
    ['one that never comes', { delivered: { 20: [] } }, { lost: 1 }],
    ['one that comes twice', { delivered: { 40: [3, 3] } }, { unexpected: 1 }],
    [
      'one that comes although its cancel succeeded',
      { before: { 10: (ledger) => ledger.cancelled(1) } },
      { unexpected: 1 },
    ],
    [
      'a cancel that succeeds after the delivery',
      { before: { 30: (ledger) => ledger.cancelled(0) } },
      { unexpected: 1 },
    ],
    ['one that nobody scheduled', { delivered: { 40: [3, 77] } }, { unexpected: 1 }],
    [
      'one that comes behind another that is due later',
      { due: [8, 9, 30, 40], delivered: { 10: [1, 0] } },
      { disordered: 1 },
    ],
    [
      'a cancel that is called too late, of one that comes later',
      { before: { 10: (ledger) => ledger.refused(1) } },
      { misanswered: 1 },
    ],
  ];

  it.each(planted)('finds %s, and nothing else', (_, given, found) => {
    const findings = course(given);
    expect(violations(findings)).toEqual(found);
    expect(findings.examples).toHaveLength(1);
  });
});
