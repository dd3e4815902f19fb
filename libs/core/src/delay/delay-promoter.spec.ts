import { ManualClock } from '@millrace/testing';
import type { PromoteResult } from '../broker.js';
import { DelayPromoter } from './delay-promoter.js';

describe('delay promoter', () => {
  let clock: ManualClock;
  let calls: number[];
  let answers: PromoteResult[];
  let promoter: DelayPromoter;

  beforeEach(() => {
    clock = new ManualClock();
    calls = [];
    answers = [];
    const broker = {
      promote: async (topic: string, shard: number, { max }: { max: number }) => {
        expect([topic, shard, max]).toEqual(['orders', 1, 100]);
        calls.push(clock.monotonic());
        return answers.shift() ?? { promoted: 0 };
      },
    };
    promoter = new DelayPromoter({ broker, clock, topic: 'orders', shard: 1, onError: () => undefined });
  });
  afterEach(() => promoter.stop());

  it('looks every 2 s while nothing is scheduled', async () => {
    promoter.start();
    await clock.advance(5000);
    expect(calls).toEqual([0, 2000, 4000]);
  });

  it('looks when the next message is due, and every 500 ms at least while something is scheduled', async () => {
    answers.push(
      { promoted: 0, nextDueInMs: 120 },
      { promoted: 1, nextDueInMs: 60_000 },
      { promoted: 0, nextDueInMs: 9 },
    );
    promoter.start();
    await clock.advance(700);
    expect(calls).toEqual([0, 120, 620, 629]);
  });

  it('goes on at once while its calls come back full', async () => {
    answers.push({ promoted: 100 }, { promoted: 100, nextDueInMs: 0 }, { promoted: 99 });
    promoter.start();
    await clock.advance(1);
    expect(calls).toEqual([0, 0, 0]);
  });

  it('goes on at once while a call leaves some of what is due', async () => {
    answers.push({ promoted: 57, nextDueInMs: 0 }, { promoted: 1, nextDueInMs: 0 }, { promoted: 3, nextDueInMs: 40 });
    promoter.start();
    await clock.advance(30);
    expect(calls).toEqual([0, 0, 0]);
  });

  it('is never a hot loop: what is due now but not promoted is looked at again after 1 ms', async () => {
    answers.push(...Array.from({ length: 100 }, () => ({ promoted: 0, nextDueInMs: 0 })));
    promoter.start();
    await clock.advance(3);
    expect(calls).toEqual([0, 1, 2, 3]);
  });

  it('is woken by what this process schedules', async () => {
    promoter.start();
    await clock.advance(10);
    promoter.wakeIn(25);
    await clock.advance(100);
    expect(calls).toEqual([0, 35]);
  });

  it('stops between two full calls', async () => {
    answers.push(...Array.from({ length: 100 }, () => ({ promoted: 100 })));
    promoter.start();
    await promoter.stop();
    expect(calls.length).toBeLessThan(100);
  });
});
