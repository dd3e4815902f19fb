import { ManualClock } from '@millrace/testing';
import { TimeoutWatch } from './timeout-watch.js';

describe('time-out watch', () => {
  let clock: ManualClock;
  let events: string[];
  let watch: TimeoutWatch<string>;

  beforeEach(() => {
    clock = new ManualClock();
    events = [];
    watch = new TimeoutWatch(clock, 1000, {
      timedOut: (run) => events.push(`${clock.monotonic()} timed out: ${run}`),
      stalled: (run) => events.push(`${clock.monotonic()} stalled: ${run}`),
    });
  });
  afterEach(() => watch.close());

  it('tells of a run at its time-out, and 5 s later that it stalled', async () => {
    watch.add('a', clock.monotonic());
    await clock.advance(999);
    expect(events).toEqual([]);
    await clock.advance(10_000);
    expect(events).toEqual(['1000 timed out: a', '6000 stalled: a']);
  });

  it('says nothing of a run that ended in time', async () => {
    const run = watch.add('a', clock.monotonic());
    await clock.advance(999);
    watch.remove(run);
    await clock.advance(10_000);
    expect(events).toEqual([]);
  });

  it('says no more of a run that ended within its grace', async () => {
    const run = watch.add('a', clock.monotonic());
    await clock.advance(3000);
    watch.remove(run);
    await clock.advance(10_000);
    expect(events).toEqual(['1000 timed out: a']);
  });

  it('watches each run by its own start', async () => {
    watch.add('a', clock.monotonic());
    await clock.advance(400);
    watch.add('b', clock.monotonic());
    await clock.advance(5700);
    watch.add('c', clock.monotonic());
    await clock.advance(1000);
    expect(events).toEqual([
      '1000 timed out: a',
      '1400 timed out: b',
      '6000 stalled: a',
      '6400 stalled: b',
      '7100 timed out: c',
    ]);
  });

  it('needs one wait for any number of runs, and none when there are none', async () => {
    for (let run = 0; run < 100; run++) watch.add(`run ${run}`, clock.monotonic());
    expect(clock.waiting).toBe(1);
    await clock.advance(20_000);
    expect(clock.waiting).toBe(0);
  });

  it('ends at once when closed', async () => {
    watch.add('a', clock.monotonic());
    watch.close();
    watch.add('b', clock.monotonic());
    await clock.advance(20_000);
    expect(events).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});
