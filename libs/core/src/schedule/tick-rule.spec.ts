import { InvalidOptionError } from '../errors.js';
import { tickRule, type StoredRule } from './tick-rule.js';

function ticks(rule: Partial<StoredRule>, after: string, count: number): string[] {
  const of = tickRule({ missed: 'skip', ...rule });
  const found: string[] = [];
  let at = Date.parse(after);
  for (let number = 0; number < count; number++) {
    at = of.after(at)!;
    found.push(new Date(at).toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

const cron = (pattern: string, after: string, count: number, timeZone = 'UTC'): string[] =>
  ticks({ cron: pattern, timeZone }, after, count);

describe('a cron pattern', () => {
  it.each([
    ['0 3 * * *', ['2026-01-01T03:00Z', '2026-01-02T03:00Z']],
    ['*/15 * * * *', ['2026-01-01T00:15Z', '2026-01-01T00:30Z']],
    ['5/20 1 * * *', ['2026-01-01T01:05Z', '2026-01-01T01:25Z']],
    ['10-20/5 9-10 * * *', ['2026-01-01T09:10Z', '2026-01-01T09:15Z']],
    ['30 8 * * MON-FRI', ['2026-01-01T08:30Z', '2026-01-02T08:30Z', '2026-01-05T08:30Z']],
    ['0 0 * * 7', ['2026-01-04T00:00Z', '2026-01-11T00:00Z']],
    ['0 0 * * 5-7', ['2026-01-02T00:00Z', '2026-01-03T00:00Z', '2026-01-04T00:00Z', '2026-01-09T00:00Z']],
    ['0 0 L * *', ['2026-01-31T00:00Z', '2026-02-28T00:00Z', '2026-03-31T00:00Z']],
    ['0 0 29 feb ?', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
    ['0 0 31 * *', ['2026-01-31T00:00Z', '2026-03-31T00:00Z']],
    ['@monthly', ['2026-02-01T00:00Z', '2026-03-01T00:00Z']],
    ['30 */6 * * * *', ['2026-01-01T00:00:30.000Z', '2026-01-01T00:06:30.000Z']],
  ])('%s', (pattern, expected) => {
    expect(cron(pattern, '2026-01-01T00:00:00Z', expected.length)).toEqual(expected);
  });

  it('with a day of the month and a day of the week means either of them', () => {
    expect(cron('0 0 13 * FRI', '2026-02-01T00:00:00Z', 3)).toEqual([
      '2026-02-06T00:00Z',
      '2026-02-13T00:00Z',
      '2026-02-20T00:00Z',
    ]);
    expect(cron('0 0 13 * MON', '2026-02-10T00:00:00Z', 2)).toEqual(['2026-02-13T00:00Z', '2026-02-16T00:00Z']);
  });

  it.each([
    ['* * * *', 'five fields'],
    ['60 * * * *', 'minute'],
    ['* 24 * * *', 'hour'],
    ['* * 0 * *', 'day of the month'],
    ['* * * 13 *', 'month'],
    ['* * * * 8', 'day of the week'],
    ['*/0 * * * *', 'minute'],
    ['5-1 * * * *', 'backwards'],
    ['1-2-3 * * * *', 'minute'],
    ['a * * * *', 'minute'],
    ['1,,2 * * * *', 'minute'],
    ['0 0 30 2 *', 'no month has'],
    ['0 0 31 4,6,9,11 *', 'no month has'],
    [7, 'must be a cron pattern'],
  ])('that cannot be read is refused by name: %s', (pattern, problem) => {
    const read = (): unknown => tickRule({ cron: pattern as string, missed: 'skip' });
    expect(read).toThrow(InvalidOptionError);
    expect(read).toThrow(expect.objectContaining({ option: 'schedule.cron' }));
    expect(read).toThrow(problem);
  });

  it.each(['Mars/Olympus', '', 5])('in a place that is not known is refused by name: %p', (timeZone) => {
    const read = (): unknown => tickRule({ cron: '0 3 * * *', timeZone: timeZone as string, missed: 'skip' });
    expect(read).toThrow(expect.objectContaining({ name: 'InvalidOptionError', option: 'schedule.timeZone' }));
  });
});

describe('time zones', () => {
  it('say what hour it is, summer and winter', () => {
    expect(cron('0 9 * * *', '2026-03-27T12:00:00Z', 3, 'Europe/Berlin')).toEqual([
      '2026-03-28T08:00Z',
      '2026-03-29T07:00Z',
      '2026-03-30T07:00Z',
    ]);
    expect(cron('0 9 * * *', '2026-01-01T00:00:00Z', 1, 'Asia/Kolkata')).toEqual(['2026-01-01T03:30Z']);
    expect(cron('0 0 1 * *', '2026-01-15T00:00:00Z', 2, 'America/New_York')).toEqual([
      '2026-02-01T05:00Z',
      '2026-03-01T05:00Z',
    ]);
  });

  it('clocks put forward: a time that is left out means the instant of the change, once', () => {
    // In Berlin 02:00 becomes 03:00 at 01:00Z on 29 March 2026.
    expect(cron('30 2 * * *', '2026-03-28T00:00:00Z', 3, 'Europe/Berlin')).toEqual([
      '2026-03-28T01:30Z',
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
    ]);
    expect(cron('15,45 2 * * *', '2026-03-29T00:00:00Z', 2, 'Europe/Berlin')).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:15Z',
    ]);
    expect(cron('0 2,3 * * *', '2026-03-29T00:00:00Z', 2, 'Europe/Berlin')).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:00Z',
    ]);
  });

  it('clocks put back: a time that comes twice means its first time', () => {
    // In Berlin 03:00 becomes 02:00 at 01:00Z on 25 October 2026.
    expect(cron('30 2 * * *', '2026-10-24T12:00:00Z', 2, 'Europe/Berlin')).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
    expect(cron('30 2 * * *', '2026-10-25T00:45:00Z', 1, 'Europe/Berlin')).toEqual(['2026-10-26T01:30Z']);
    expect(cron('30 2 * * *', '2026-10-25T01:10:00Z', 1, 'Europe/Berlin')).toEqual(['2026-10-26T01:30Z']);
    expect(cron('0 3 * * *', '2026-10-25T00:45:00Z', 1, 'Europe/Berlin')).toEqual(['2026-10-25T02:00Z']);
  });

  it('a pattern with a free hour follows elapsed time through both changes', () => {
    expect(cron('*/30 * * * *', '2026-03-29T00:20:00Z', 3, 'Europe/Berlin')).toEqual([
      '2026-03-29T00:30Z',
      '2026-03-29T01:00Z',
      '2026-03-29T01:30Z',
    ]);
    expect(cron('*/30 * * * *', '2026-10-24T23:50:00Z', 6, 'Europe/Berlin')).toEqual([
      '2026-10-25T00:00Z',
      '2026-10-25T00:30Z',
      '2026-10-25T01:00Z',
      '2026-10-25T01:30Z',
      '2026-10-25T02:00Z',
      '2026-10-25T02:30Z',
    ]);
    // By half an hour, in Lord Howe: 02:00 becomes 01:30 at 15:00Z on 4 April 2026.
    expect(cron('15,45 * * * *', '2026-04-04T14:00:00Z', 4, 'Australia/Lord_Howe')).toEqual([
      '2026-04-04T14:15Z',
      '2026-04-04T14:45Z',
      '2026-04-04T15:15Z',
      '2026-04-04T15:45Z',
    ]);
  });

  it('each day of a year has one tick of a daily pattern, wherever clocks change', () => {
    for (const zone of ['Europe/Berlin', 'America/Havana', 'Africa/Cairo', 'Pacific/Chatham', 'America/St_Johns'])
      for (const pattern of ['30 0 * * *', '30 2 * * *', '15 23 * * *']) {
        const of = tickRule({ cron: pattern, timeZone: zone, missed: 'skip' });
        const day = new Intl.DateTimeFormat('en-CA', { timeZone: zone });
        const days: string[] = [];
        for (let at = Date.UTC(2026, 0, 1, 12); days.length < 365; days.push(day.format(at))) at = of.after(at)!;
        expect(new Set(days).size).toBe(365);
        expect(days[364]! <= '2027-01-02').toBe(true);
      }
  });

  it('a free hour has a tick each hour of a year, wherever clocks change by whole hours', () => {
    for (const zone of ['Europe/Berlin', 'America/Havana', 'Africa/Cairo', 'Asia/Beirut']) {
      const of = tickRule({ cron: '30 * * * *', timeZone: zone, missed: 'skip' });
      let at = Date.UTC(2026, 0, 1);
      const first = of.after(at)!;
      for (let hour = 0; hour < 365 * 24; hour++) at = of.after(at)!;
      expect(at - first).toBe((365 * 24 - 1) * 3_600_000);
    }
  });
});

describe('every so many ms', () => {
  it('means the multiples of it, whenever one begins', () => {
    expect(ticks({ everyMs: 900_000 }, '2026-01-01T00:07:00Z', 2)).toEqual(['2026-01-01T00:15Z', '2026-01-01T00:30Z']);
    expect(ticks({ everyMs: 900_000 }, '2026-01-01T00:15:00Z', 1)).toEqual(['2026-01-01T00:30Z']);
  });
});
