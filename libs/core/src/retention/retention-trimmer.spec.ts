import { ManualClock } from '@millrace/testing';
import { RetentionTrimmer } from './retention-trimmer.js';

it('the retention trimmer trims its topic every 5 to 10 seconds, also after an error', async () => {
  const clock = new ManualClock();
  const calls: number[] = [];
  const errors: unknown[] = [];
  const broker = {
    trim: async (topic: string) => {
      expect(topic).toBe('orders');
      if (calls.push(clock.monotonic()) === 2) throw new Error('down');
      return 3;
    },
  };
  const trimmer = new RetentionTrimmer({ broker, clock, topic: 'orders', onError: (error) => errors.push(error) });
  trimmer.start();
  await clock.advance(60_000);
  await trimmer.stop();
  const pauses = calls.map((at, index) => at - (calls[index - 1] ?? 0));
  expect(errors).toHaveLength(1);
  // The pause after the error is the loop's own, short one.
  pauses.splice(0, 3);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(5000);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
});
