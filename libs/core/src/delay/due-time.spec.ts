import { InvalidOptionError } from '../errors.js';
import { dueOf } from './due-time.js';

const now = Date.UTC(2026, 0, 1);
const limits = { maxDelayMs: 60_000, now };

describe('due time of a send', () => {
  it('is now when nothing is said', () => {
    expect(dueOf({}, limits)).toBeUndefined();
  });

  it('is a delay on the broker clock for delay and delayLevel', () => {
    expect(dueOf({ delay: '30s' }, limits)).toEqual({ delayMs: 30_000 });
    expect(dueOf({ delayLevel: 2 }, limits)).toEqual({ delayMs: 5000 });
  });

  it('is an instant for deliverAt', () => {
    expect(dueOf({ deliverAt: new Date(now + 5000) }, limits)).toEqual({ atMs: now + 5000 });
  });

  it('is now for a delay of 0, a level of 0 or less, and an instant that has passed', () => {
    expect(dueOf({ delay: 0 }, limits)).toBeUndefined();
    expect(dueOf({ delayLevel: -3 }, limits)).toBeUndefined();
    expect(dueOf({ deliverAt: new Date(now - 1) }, limits)).toBeUndefined();
    expect(dueOf({ deliverAt: new Date(now) }, limits)).toBeUndefined();
  });

  it.each([
    [{ delay: '1s', deliverAt: new Date(now) }, 'send.delay', "'deliverAt'"],
    [{ delay: '1s', delayLevel: 1 }, 'send.delay', "'delayLevel'"],
    [{ deliverAt: new Date(now), delayLevel: 0 }, 'send.deliverAt', "'delayLevel'"],
  ])('cannot be given twice: %o', (options, option, other) => {
    expect(() => dueOf(options, limits)).toThrow(InvalidOptionError);
    expect(() => dueOf(options, limits)).toThrow(expect.objectContaining({ option }));
    expect(() => dueOf(options, limits)).toThrow(other);
  });

  it.each([{ delay: '61s' }, { deliverAt: new Date(now + 60_001) }, { delayLevel: 18 }])(
    'beyond the maxDelay of the topic is refused: %o',
    (options) => {
      expect(() => dueOf(options, limits)).toThrow(InvalidOptionError);
      expect(() => dueOf(options, limits)).toThrow('maxDelay of 60000 ms');
    },
  );

  it('of exactly the maxDelay is accepted', () => {
    expect(dueOf({ delay: '60s' }, limits)).toEqual({ delayMs: 60_000 });
    expect(dueOf({ deliverAt: new Date(now + 60_000) }, limits)).toEqual({ atMs: now + 60_000 });
  });

  it.each([{ delay: 'soon' }, { delay: -1 }, { deliverAt: new Date(NaN) }, { deliverAt: 5 }, { delayLevel: 1.5 }])(
    'must be readable: %o',
    (options) => {
      expect(() => dueOf(options as object, limits)).toThrow(InvalidOptionError);
    },
  );
});
