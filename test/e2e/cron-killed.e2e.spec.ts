// Issue 4, "Done when" 4: three processes with the same @MqCron, 500 virtual ticks, processes killed in the middle of what a
// tick is made of. A process that gets SIGKILL can be a child only: test/support/cron-member.ts, compiled.
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CronCrew } from '../support/cron-crew.js';

const TICKS = 500;

describe('three processes with one @MqCron', () => {
  let crew: CronCrew;
  beforeEach(async () => {
    crew = new CronCrew(`cron-${randomUUID()}`);
    await crew.open();
  });
  afterEach(() => crew.close());

  it('send each of 500 ticks once, while one after the other is killed between any two steps of it', async () => {
    const members = await Promise.all([crew.start(), crew.start(), crew.start()]);
    await crew.advanceTo(80);
    for (const [index, point] of (['plan', 'send', 'sent', 'handler'] as const).entries()) {
      const member = members[index % members.length]!;
      member.dieAt(point);
      // Nobody is quicker than one who is alone.
      await crew.advanceAlone(member);
      await crew.advanceTo((index + 2) * 80);
      expect(member.isAlive).toBe(false);
      members[index % members.length] = await crew.start();
    }
    // And wherever it happens to be, all of them being at it; the other two go on.
    await crew.advanceTo(440);
    const stepped = crew.step();
    await members[0].kill();
    await stepped;
    // What a dead process held is handled by another one.
    await crew.advanceTo(TICKS + 20);

    const stored = await crew.stored();
    const wanted = Array.from({ length: TICKS }, (_, tick) => crew.instant(tick + 1));
    expect(wanted.filter((tick) => !stored.has(tick))).toEqual([]);
    expect([...stored].filter(([, ids]) => ids.length !== 1)).toEqual([]);
    // Nothing else but what ticked meanwhile.
    expect(stored.size).toBeLessThanOrEqual(TICKS + 20);
    const handled = new Set(crew.handled);
    expect(wanted.filter((tick) => !handled.has(tick))).toEqual([]);
  }, 120_000);
});
