import { backoffAfter, RELAY_DEFAULTS, relaySpec } from './relay-options.js';

describe('relay options', () => {
  it('have the documented defaults', () => {
    expect(relaySpec()).toEqual({
      pollMs: 1000,
      batchSize: 500,
      maxAttempts: 10,
      backoffMs: 1000,
      maxBackoffMs: 60_000,
      keepSentMs: 0,
      listen: true,
    });
    expect(relaySpec({ ...RELAY_DEFAULTS })).toEqual(relaySpec());
  });

  it.each([
    ['an unknown option', { batchsize: 3 }, "did you mean 'batchSize'"],
    ['a poll interval that would spin', { pollInterval: 0 }, 'relay.pollInterval'],
    ['an empty batch', { batchSize: 0 }, 'relay.batchSize'],
    ['no attempt at all', { maxAttempts: 0 }, 'relay.maxAttempts'],
    ['a bad duration', { keepSent: 'soon' }, 'relay.keepSent'],
    ['a word for a switch', { listen: 'yes' }, 'relay.listen'],
  ])('%s is refused', (_, options, problem) => {
    expect(() => relaySpec(options as object)).toThrow(problem);
    expect(() => relaySpec(options as object)).toThrow(expect.objectContaining({ code: 'MQ_INVALID_OPTION' }));
  });

  it('the wait after a refusal doubles up to the longest one', () => {
    const spec = relaySpec({ backoff: '1s', maxBackoff: '10s' });
    expect([1, 2, 3, 4, 5, 1000].map((attempts) => backoffAfter(attempts, spec))).toEqual([
      1000, 2000, 4000, 8000, 10_000, 10_000,
    ]);
  });
});
