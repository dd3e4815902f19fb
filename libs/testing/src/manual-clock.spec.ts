import { describe, expect, it } from '@jest/globals';
import { ManualClock } from './manual-clock.js';

describe('ManualClock', () => {
  it('stands still until it is moved', async () => {
    const clock = new ManualClock(1000);
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0]);
    await clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1250, 250]);
  });

  it('ends waits in the order of their ends, and equal ones in the order of asking', async () => {
    const clock = new ManualClock();
    const ended: string[] = [];
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
    ] as const) {
      void clock.wait(ms).then(() => ended.push(`${name} at ${clock.monotonic()}`));
    }
    await clock.advance(30);
    expect(ended).toEqual(['a at 10', 'b1 at 20', 'b2 at 20', 'c at 30']);
  });

  it('leaves waits that end later alone', async () => {
    const clock = new ManualClock();
    let ended = false;
    void clock.wait(11).then(() => (ended = true));
    await clock.advance(10);
    expect([ended, clock.waiting]).toEqual([false, 1]);
    await clock.advance(1);
    expect([ended, clock.waiting]).toEqual([true, 0]);
  });

  it('lets a loop take each of its steps at its own instant, however long its chain of promises is', async () => {
    const clock = new ManualClock(0);
    const steps: number[] = [];
    const loop = async (): Promise<void> => {
      for (let step = 0; step < 5; step++) {
        await clock.wait(100);
        for (let tick = 0; tick < 50; tick++) await Promise.resolve();
        steps.push(clock.now());
      }
    };
    void loop();
    await clock.advance(1000);
    expect(steps).toEqual([100, 200, 300, 400, 500]);
    expect(clock.now()).toBe(1000);
  });

  it('ends a wait at once when its signal aborts, and forgets it', async () => {
    const clock = new ManualClock();
    const ending = new AbortController();
    const waiting = clock.wait(1000, ending.signal);
    ending.abort();
    await waiting;
    await clock.wait(1000, ending.signal);
    expect([clock.waiting, clock.monotonic()]).toEqual([0, 0]);
  });

  it('keeps nothing at the signal of a wait that has ended', async () => {
    const clock = new ManualClock();
    const ending = new AbortController();
    const [first, second] = [clock.wait(10, ending.signal), clock.wait(20, ending.signal)];
    await clock.advance(10);
    await first;
    ending.abort();
    await second;
    expect(clock.waiting).toBe(0);
  });

  it('ends waits at whole milliseconds, and none before its time', async () => {
    const clock = new ManualClock();
    const endedAt: number[] = [];
    for (const ms of [0.2, 9.5]) void clock.wait(ms).then(() => endedAt.push(clock.monotonic()));
    await clock.advance(10);
    expect(endedAt).toEqual([1, 10]);
  });

  it('moves to the end of the earliest wait and says how far that was', async () => {
    const clock = new ManualClock();
    void clock.wait(30);
    void clock.wait(70);
    expect(await clock.advanceToNext()).toBe(30);
    expect(await clock.advanceToNext()).toBe(40);
    expect(await clock.advanceToNext()).toBeUndefined();
  });

  it('does not let a loop that waits for 0 ms stop everything else', async () => {
    const clock = new ManualClock();
    let turns = 0;
    const loop = async (): Promise<void> => {
      while (turns < 3) {
        turns++;
        await clock.wait(0);
      }
    };
    await Promise.all([loop(), clock.advance(1)]);
    expect(turns).toBe(3);
  });

  it('refuses to go back and to be moved twice at once', async () => {
    const clock = new ManualClock();
    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
    await expect(clock.advance(NaN)).rejects.toThrow(RangeError);
    const moving = clock.advance(5);
    await expect(clock.advance(5)).rejects.toThrow('still under way');
    await moving;
    expect(clock.monotonic()).toBe(5);
  });
});
