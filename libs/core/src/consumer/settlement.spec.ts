import { UndecodableMessageError } from '../errors.js';
import { FIRST_DELIVERY, type RetryState } from './delivery.js';
import { deadLetter, handBack, InvalidMessageError, RetryLater, retryLater } from './outcome.js';
import { settlementOf, type HandlerResult, type SettlementPolicy } from './settlement.js';

class BadInput extends Error {}
class WorseInput extends BadInput {}

const policy: SettlementPolicy = {
  maxAttempts: 3,
  maxCrashes: 3,
  noRetry: [BadInput],
  onExpired: 'dead-letter',
  backoff: (attempt) => attempt * 1000,
  onExhausted: 'dead-letter',
};
const at = { at: 5000, durationMs: 7 };
const returned = (value: unknown): HandlerResult => ({ type: 'returned', value, ...at });
const threw = (error: unknown): HandlerResult => ({ type: 'threw', error, ...at });
const attempt = (number: number): RetryState => ({ ...FIRST_DELIVERY, attempt: number });

describe('settlement', () => {
  it.each([undefined, null, 0, '', 'anything', { type: 'retry' }, new Error('returned, not thrown')])(
    'of a handler that returns %p is ack',
    (value) => {
      expect(settlementOf(returned(value), attempt(1), policy)).toEqual({ type: 'ack' });
    },
  );

  it('of an expired message is a dead letter with its state unchanged, or a dropping ack', () => {
    const expired = { type: 'expired', ttlMs: 1000, ageMs: 1500.4 } as const;
    expect(settlementOf(expired, attempt(2), policy)).toEqual({
      type: 'dead-letter',
      reason: 'expired',
      text: 'its time to live of 1000 ms was over: it had been ready for 1500 ms',
      state: attempt(2),
    });
    expect(settlementOf(expired, attempt(2), { ...policy, onExpired: 'drop' })).toEqual({ type: 'ack', expired: true });
  });

  it('of a message for other tags is a skipping ack', () => {
    expect(settlementOf({ type: 'unmatched-tag' }, attempt(1), policy)).toEqual({ type: 'ack', skipped: true });
  });

  it('of a thrown error is retry after the back-off, with the failure in its story', () => {
    expect(settlementOf(threw(new TypeError('bad')), attempt(2), policy)).toMatchObject({
      type: 'retry',
      delayMs: 2000,
      state: { attempt: 3, failures: [{ attempt: 2, at: 5000, durationMs: 7, error: 'TypeError', text: 'bad' }] },
    });
  });

  it('of retryLater is retry after its own delay, counted as an attempt', () => {
    expect(settlementOf(returned(retryLater('30s', 'not paid yet')), attempt(1), policy)).toMatchObject({
      type: 'retry',
      delayMs: 30_000,
      state: { attempt: 2, failures: [{ error: 'RetryLater', text: 'not paid yet' }] },
    });
  });

  it('of handBack is release: nothing is counted', () => {
    expect(settlementOf(returned(handBack('2s')), attempt(3), policy)).toEqual({ type: 'release', delayMs: 2000 });
  });

  it.each([
    ['a thrown error', threw(new Error('still down'))],
    ['retryLater', returned(retryLater('1s', 'still down'))],
  ])('of %s on the last attempt is a dead letter with the full story', (_, result) => {
    const state = { ...attempt(3), failures: [{ attempt: 1, at: 1, durationMs: 1, error: 'E', text: 'first' }] };
    expect(settlementOf(result, state, policy)).toMatchObject({
      type: 'dead-letter',
      reason: 'attempts-exhausted',
      text: 'still down',
      state: { attempt: 3, failures: [{ text: 'first' }, { attempt: 3, text: 'still down' }] },
    });
  });

  it.each([
    [1, 1, 'dead-letter'],
    [5, 4, 'retry'],
    [5, 5, 'dead-letter'],
  ])("with a message's own maxAttempts of %i at attempt %i is %s, whatever the listener says", (own, now, type) => {
    expect(settlementOf(threw(new Error('x')), attempt(now), policy, own)).toMatchObject({ type });
  });

  it.each([
    ['deadLetter(why)', returned(deadLetter('card is malformed')), 'rejected', 'card is malformed'],
    ['a thrown deadLetter(why)', threw(deadLetter('card is malformed')), 'rejected', 'card is malformed'],
    ['InvalidMessageError', threw(new InvalidMessageError(new Error('no id'))), 'invalid', 'no id'],
    [
      'UndecodableMessageError',
      threw(new UndecodableMessageError('no id')),
      'undecodable',
      'message cannot be decoded: no id',
    ],
    ['a noRetry class', threw(new BadInput('empty')), 'no-retry', 'empty'],
    ['a subclass of a noRetry class', threw(new WorseInput('empty')), 'no-retry', 'empty'],
  ])('of %s is a dead letter at the first attempt', (_, result, reason, text) => {
    expect(settlementOf(result, attempt(1), policy)).toMatchObject({
      type: 'dead-letter',
      reason,
      text,
      state: { attempt: 1, failures: [{ attempt: 1, text }] },
    });
  });

  it.each([
    ['retryLater', threw(retryLater('9s')), { type: 'retry', delayMs: 9000 }],
    ['handBack', threw(handBack('9s')), { type: 'release', delayMs: 9000 }],
  ])('of a thrown %s is the same as of a returned one', (_, result, expected) => {
    expect(settlementOf(result, attempt(1), policy)).toMatchObject(expected);
  });

  it.each([0, 1, 2])('before a start with %i crashes of 3 is none: it runs', (crashes) => {
    expect(settlementOf({ type: 'starting' }, { ...FIRST_DELIVERY, crashes }, policy)).toBeUndefined();
  });

  it.each([3, 4])('before a start with %i crashes of 3 is a dead letter, without running', (crashes) => {
    const settlement = settlementOf({ type: 'starting' }, { ...FIRST_DELIVERY, crashes }, policy);
    expect(settlement).toMatchObject({ type: 'dead-letter', reason: 'crashes-exhausted', state: { crashes } });
  });

  it.each<[string, HandlerResult | { type: 'starting' }, RetryState, string]>([
    ['the last attempt', threw(new Error('bad')), attempt(3), 'attempts-exhausted'],
    ['the last crash', { type: 'starting' }, { ...FIRST_DELIVERY, crashes: 3 }, 'crashes-exhausted'],
  ])('after %s parks the key where the listener says so', (_, happened, state, reason) => {
    const parking = { ...policy, onExhausted: 'park' } as const;
    const settlement = settlementOf(happened as HandlerResult, state, parking);
    expect(settlement).toMatchObject({ type: 'park', reason, state: { attempt: state.attempt } });
  });

  it('of what no retry would help is a dead letter, also where keys are parked', () => {
    const parking = { ...policy, onExhausted: 'park' } as const;
    expect(settlementOf(threw(new BadInput('no')), attempt(1), parking)).toMatchObject({ type: 'dead-letter' });
    expect(settlementOf(returned(deadLetter('no')), attempt(3), parking)).toMatchObject({ reason: 'rejected' });
  });

  it('counts crashes and attempts apart', () => {
    const state = { ...attempt(1), crashes: 2 };
    expect(settlementOf(threw(new Error('x')), state, policy)).toMatchObject({
      type: 'retry',
      state: { attempt: 2, crashes: 2 },
    });
  });

  it('never waits longer than 365 days, and no wrong number of ms', () => {
    const delayOf = (delayMs: number): unknown => settlementOf(returned(new RetryLater(delayMs)), attempt(1), policy);
    expect(delayOf(1e300)).toMatchObject({ delayMs: 365 * 86_400_000 });
    expect(delayOf(NaN)).toMatchObject({ delayMs: 0 });
    expect(delayOf(-1)).toMatchObject({ delayMs: 0 });
  });

  it('keeps at most 1 KiB of the text of a dead letter', () => {
    const settlement = settlementOf(returned(deadLetter('x'.repeat(5000))), attempt(1), policy);
    expect(settlement).toMatchObject({ type: 'dead-letter' });
    expect(Buffer.byteLength((settlement as { text: string }).text)).toBeLessThanOrEqual(1024);
  });
});
