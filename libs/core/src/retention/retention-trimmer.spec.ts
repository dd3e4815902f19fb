import { ManualClock } from '@millrace/testing';
import { RetentionTrimmer } from './retention-trimmer.js';

it.each([
  ['every 5 to 10 seconds, also after an error', 3, 5_000, 10_000],
  ['every 10 to 20 seconds while there is nothing to remove', 0, 10_000, 20_000],
])('the retention trimmer trims its topic %s', async (_, removed, shortest, longest) => {
  const clock = new ManualClock();
  const calls: number[] = [];
  const errors: unknown[] = [];
  const broker = {
    trim: async (topic: string) => {
      expect(topic).toBe('orders');
      if (calls.push(clock.monotonic()) === 2) throw new Error('down');
      return removed;
    },
  };
  const trimmer = new RetentionTrimmer({ broker, clock, topic: 'orders', onError: (error) => errors.push(error) });
  trimmer.start();
  await clock.advance(300_000);
  await trimmer.stop();
  const pauses = calls.map((at, index) => at - (calls[index - 1] ?? 0));
  expect(errors).toHaveLength(1);
  // The pause after the error is the loop's own, short one.
  pauses.splice(0, 3);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(shortest);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(longest);
});
