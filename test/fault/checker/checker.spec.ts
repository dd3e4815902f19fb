// A checker that finds nothing proves nothing: each kind of violation is planted once, and must be the only one found.
import { describe, expect, it } from '@jest/globals';
import { faultEvent, POISON, type FaultEvent, type RecordedEvent } from '../history/fault-event.js';
import { violations } from '../row.js';
import { Checker, type Findings } from './checker.js';
import type { Rules } from './rules.js';

const RULES: Rules = {
  groups: [
    { name: 'billing', ordered: false, maxAttempts: 3, backoffMs: 100 },
    { name: 'shipping', ordered: true, inbox: true },
  ],
};
const KEY = 7;
const FENCE = 70_000;
const PARENT = 0;
const PRODUCER = 1;
const CONSUMER = 2;
const OTHER = 3;

/** A history that can be spoiled: events are in the order of their times. */
class History {
  private events: RecordedEvent[] = [];
  private runs = 0;

  /** Sent, acknowledged, handled by both groups, one after the other; 10 ms each. */
  static clean(): History {
    const history = new History();
    for (const n of [0, 1, 2, 3]) history.sent(n, 100 * n);
    for (const n of [0, 1, 2, 3]) history.handled(n, 1_000 + 100 * n);
    return history;
  }

  sent(n: number, at: number): this {
    this.add(PRODUCER, 'attempt', { n, at, key: KEY, sum: 40 + n });
    return this.add(PRODUCER, 'ok', { n, at: at + 1, key: KEY, id: 900 + n });
  }

  handled(n: number, at: number): this {
    const fence = FENCE + n;
    this.ran(n, at, 0, { fence }).ran(n, at, 1, { fence });
    return this.add(PARENT, 'effect', { n, at: 9_000, group: 1, key: KEY, fence });
  }

  ran(
    n: number,
    at: number,
    group: number,
    more: Partial<FaultEvent> & { forMs?: number; process?: number } = {},
  ): this {
    const { forMs = 10, process = CONSUMER, ...given } = more;
    const common = {
      n,
      group,
      key: KEY,
      run: ++this.runs,
      fence: 80_000 + this.runs,
      attempt: 1,
      wall: 50_000,
      sum: 40 + n,
      id: 900 + n,
    };
    this.add(process, 'start', { ...common, ...given, at });
    return this.add(process, 'done', { ...common, ...given, at: at + forMs });
  }

  add(process: number, kind: FaultEvent['kind'], given: Partial<FaultEvent>): this {
    this.events.push({ ...faultEvent(kind, given), process });
    return this;
  }

  without(matches: (event: RecordedEvent) => boolean): this {
    this.events = this.events.filter((event) => !matches(event));
    return this;
  }

  change(matches: (event: RecordedEvent) => boolean, changes: Partial<RecordedEvent>): this {
    this.events = this.events.map((event) => (matches(event) ? { ...event, ...changes } : event));
    return this;
  }

  check(rules: Rules = RULES): Findings {
    const checker = new Checker(rules);
    for (const event of this.events.toSorted((a, b) => a.at - b.at)) checker.take(event);
    return checker.findings();
  }
}

/** Of a run that has no end. */
const START = { group: 1, key: KEY, run: 77, attempt: 1, wall: 50_000 };

const of =
  (kind: FaultEvent['kind'], n: number, group?: number) =>
  (event: RecordedEvent): boolean =>
    event.kind === kind && event.n === n && (group === undefined || event.group === group);
const ofRun =
  (n: number, group: number) =>
  (event: RecordedEvent): boolean =>
    (event.kind === 'start' || event.kind === 'done') && event.n === n && event.group === group;

describe('the checker', () => {
  it('finds nothing in a clean history, and counts it', () => {
    const found = History.clean().check({ ...RULES, noDuplicates: true });
    expect(violations(found)).toEqual([]);
    expect(found).toMatchObject({ messages: 4, acknowledged: 4, handled: 8, effects: 4, duplicated: 0, unknown: 0 });
    expect(found.longestStallMs).toBe(100);
  });

  const planted: [string, (history: History) => History, string][] = [
    ['a loss in one group', (history) => history.without(ofRun(2, 0)), '1 lost'],
    ['a message that nobody sent', (history) => history.ran(9, 2_000, 0), '1 unexpected'],
    [
      'a refused message that was stored all the same',
      (history) => history.change(of('ok', 3), { kind: 'fail', id: 0 }),
      '2 unexpected',
    ],
    [
      'a cancelled message that was delivered to one group',
      (history) => history.add(PRODUCER, 'cancelled', { n: 3, at: 500 }).without(ofRun(3, 1)).without(of('effect', 3)),
      '1 unexpected',
    ],
    ['a duplicate where none may be', (history) => history.ran(1, 2_000, 0), '1 handled twice'],
    [
      'two messages of a key in the wrong order',
      (history) => history.without(ofRun(1, 1)).ran(1, 1_250, 1, { fence: FENCE + 1 }),
      '1 reordered',
    ],
    [
      'two handlers of a key at the same time',
      (history) => history.change((event) => of('done', 1, 1)(event), { at: 1_205 }),
      '1 overlapping handlers of a key',
    ],
    ['an early delivery', (history) => history.change(of('attempt', 2), { wall: 50_001 }), '2 early'],
    ['another payload', (history) => history.change(of('start', 2, 0), { sum: 1 }), '1 changed on the way'],
    ['another message id', (history) => history.change(of('start', 2, 0), { id: 1 }), '1 changed on the way'],
    [
      'two receipts of one message that differ',
      (history) => history.add(PRODUCER, 'ok', { n: 2, at: 5_000, id: 1 }),
      '1 changed on the way',
    ],
    [
      'a second effect',
      (history) => history.add(PARENT, 'effect', { n: 3, at: 9_001, group: 1, key: KEY, fence: FENCE + 3 }),
      '1 with other than one effect',
    ],
    ['a missing effect', (history) => history.without(of('effect', 2)), '1 with other than one effect'],
    ['effects of a key in the wrong order', (history) => history.change(of('effect', 2), { at: 9_500 }), '1 reordered'],
    [
      'two runs that were given one fence',
      (history) => history.add(OTHER, 'start', { ...START, n: 3, sum: 43, id: 903, at: 1_350, fence: FENCE + 3 }),
      '1 misfenced',
    ],
    [
      'a run without a fence',
      (history) => history.change(of('start', 3, 1), { fence: 0 }).change(of('effect', 3), { fence: 0 }),
      '2 misfenced',
    ],
    [
      'an effect under a fence that no run had',
      (history) => history.change(of('effect', 2), { fence: 1 }),
      '1 misfenced',
    ],
    ['a dead letter nobody meant', (history) => history.add(PARENT, 'dead', { n: 0, at: 9_000 }), '1 misjudged'],
    ['an attempt too many', (history) => history.change(of('start', 2, 0), { attempt: 4 }), '1 misjudged'],
    [
      'poison that was handled',
      (history) =>
        history
          .change(of('attempt', 3), { flags: POISON })
          .without(ofRun(3, 1))
          .without(of('effect', 3))
          .add(PARENT, 'dead', { n: 3, at: 9_000, group: 1 }),
      '1 misjudged',
    ],
    [
      'a retry before its time',
      (history) => history.change(of('done', 2, 0), { kind: 'failed' }).ran(2, 1_260, 0, { attempt: 2 }),
      '1 early',
    ],
  ];

  it.each(planted)('finds %s, and nothing else', (_, plant, expected) => {
    expect(violations(plant(History.clean()).check({ ...RULES, noDuplicates: true }))).toEqual([expected]);
  });

  it('finds an effect of a process that slept, stored after that of its successor', () => {
    const late = (): History => {
      const successor = { ...START, n: 3, sum: 43, id: 903, fence: FENCE + 99 };
      const history = History.clean().add(OTHER, 'start', { ...successor, at: 1_311 });
      history.change(of('effect', 3), { fence: FENCE + 99 });
      return history.add(PARENT, 'effect', { n: 3, at: 9_001, group: 1, key: KEY, fence: FENCE + 3 });
    };
    expect(violations(late().check({ ...RULES, mayOverlap: true }))).toEqual([
      '1 with other than one effect',
      '1 misfenced',
    ]);
    expect(violations(late().check({ ...RULES, mayRewind: true }))).toEqual(['1 with other than one effect']);
  });

  it('counts duplicates where they are allowed, and holds nothing against them', () => {
    const found = History.clean().ran(1, 2_000, 0).check();
    expect([found.duplicated, violations(found)]).toEqual([1, []]);
    const [billing, shipping] = RULES.groups;
    const strict = { groups: [billing!, { ...shipping!, noDuplicates: true }] };
    const inShipping = History.clean().ran(1, 2_000, 0).ran(3, 2_000, 1);
    expect(violations(inShipping.check(strict))).toEqual(['1 handled twice']);
  });

  it('does not call lost what was never acknowledged, cancelled, or became a dead letter as poison', () => {
    const unknown = History.clean().change(of('ok', 3), { kind: 'info', id: 0 }).without(ofRun(3, 0));
    expect(violations(unknown.check())).toEqual([]);
    const cancelled = History.clean().add(PRODUCER, 'cancelled', { n: 3, at: 500 });
    expect(
      violations(
        cancelled.without((event) => event.n === 3 && ['start', 'done', 'effect'].includes(event.kind)).check(),
      ),
    ).toEqual([]);
    const poison = History.clean().change(of('attempt', 3), { flags: POISON }).add(PARENT, 'dead', { n: 3, at: 9_000 });
    poison.add(PARENT, 'dead', { n: 3, at: 9_000, group: 1 });
    poison.without((event) => event.n === 3 && ['start', 'done', 'effect'].includes(event.kind));
    expect(violations(poison.check())).toEqual([]);
  });

  it('does call lost what was said to be too late to cancel', () => {
    const history = History.clean().add(PRODUCER, 'cancel-asked', { n: 3, at: 500 }).without(ofRun(3, 0));
    expect(history.check().lost).toBe(0);
    expect(history.add(PRODUCER, 'cancel-refused', { n: 3, at: 501 }).check().lost).toBe(1);
  });

  it('excuses exactly what the server may have forgotten', () => {
    const without = (): History => History.clean().without(ofRun(1, 0)).without(ofRun(3, 0));
    // Acknowledged at 101 and 301.
    const window = without().add(PARENT, 'forgotten', { at: 400, wall: 150 });
    expect(window.check()).toMatchObject({ lost: 1, forgotten: 1 });
    const everything = without().add(PARENT, 'forgotten', { at: 250, wall: Infinity });
    expect(everything.check()).toMatchObject({ lost: 1, forgotten: 1 });
    expect(without().check()).toMatchObject({ lost: 2, forgotten: 0 });
  });

  it('takes the death of a process for the end of its handlers', () => {
    const killed = History.clean()
      .without(of('done', 1, 1))
      .without(of('start', 1, 1));
    const started = { n: 1, group: 1, key: KEY, run: 77, attempt: 1, wall: 50_000, sum: 41, id: 901 };
    killed.add(OTHER, 'start', { ...started, at: 1_100 }).ran(1, 1_150, 1);
    expect(killed.check().overlapping).toBe(1);
    expect(killed.add(PARENT, 'died', { at: 1_120, run: OTHER }).check().overlapping).toBe(0);
  });

  it('judges order only where it is promised', () => {
    const delayed = History.clean()
      .without(ofRun(1, 1))
      .ran(1, 1_250, 1, { fence: FENCE + 1 })
      .change(of('attempt', 1), { wall: 1 });
    expect(delayed.check().reordered).toBe(0);
    const replayed = History.clean()
      .without(ofRun(1, 1))
      .ran(1, 1_250, 1, { fence: FENCE + 1 })
      .add(PRODUCER, 'info', { n: 1, at: 101 });
    expect(replayed.check().reordered).toBe(0);
    const frozen = History.clean().change((event) => of('done', 1, 1)(event), { at: 1_205 });
    expect(frozen.check({ ...RULES, mayOverlap: true }).overlapping).toBe(0);
    const rewound = History.clean()
      .without(ofRun(1, 1))
      .ran(1, 1_250, 1, { fence: FENCE + 1 });
    expect(rewound.check({ ...RULES, mayRewind: true }).reordered).toBe(0);
  });
});
