import {
  BrokerRefusedError,
  ClosedError,
  HandlerTimeoutError,
  IdempotencyConflictError,
  InvalidOptionError,
  LeaseLostError,
  MqError,
  SendUnknownError,
  TopicError,
  UndecodableMessageError,
} from './errors.js';

describe('errors', () => {
  it.each<[MqError, string, boolean]>([
    [new InvalidOptionError('send.delay', 'soon', 'x'), 'MQ_INVALID_OPTION', false],
    [new TopicError('orders', 'x'), 'MQ_TOPIC_CONFLICT', false],
    [new TopicError('orders', 'x', 'MQ_TOPIC_NOT_FOUND'), 'MQ_TOPIC_NOT_FOUND', false],
    [new IdempotencyConflictError('orders', 'k', 'm'), 'MQ_IDEMPOTENCY_CONFLICT', false],
    [new SendUnknownError('m', async () => undefined), 'MQ_SEND_UNKNOWN', true],
    [new BrokerRefusedError('x', 'MQ_OUT_OF_MEMORY'), 'MQ_OUT_OF_MEMORY', true],
    [new BrokerRefusedError('x', 'MQ_UNAVAILABLE'), 'MQ_UNAVAILABLE', true],
    [new BrokerRefusedError('x', 'MQ_REFUSED'), 'MQ_REFUSED', false],
    [new ClosedError('producer'), 'MQ_CLOSED', false],
    [new UndecodableMessageError('x'), 'MQ_UNDECODABLE', false],
    [new HandlerTimeoutError(5), 'MQ_HANDLER_TIMEOUT', true],
    [new LeaseLostError('m'), 'MQ_LEASE_LOST', false],
  ])('%s has the code %s; trying again may help: %p', (error, code, retriable) => {
    expect(error).toBeInstanceOf(MqError);
    expect([error.code, error.retriable, error.name]).toEqual([code, retriable, error.constructor.name]);
  });

  it('keep their cause', () => {
    const cause = new Error('socket closed');
    expect(new BrokerRefusedError('x', 'MQ_UNAVAILABLE', cause).cause).toBe(cause);
    expect(new ClosedError('x')).not.toHaveProperty('cause');
  });

  it.each<[unknown, string]>([
    ['soon', '"soon"'],
    [undefined, 'undefined'],
    [5n, '5'],
    [NaN, 'NaN'],
    [(): number => 1, 'function anonymous'],
    [{ toJSON: () => undefined }, 'object'],
    ['x'.repeat(200), `"${'x'.repeat(76)}...`],
  ])('of bad input say what was given, bounded: %p', (given, text) => {
    expect(new InvalidOptionError('send.delay', given, 'is bad').message).toBe(`send.delay: is bad (given: ${text})`);
  });

  it('of bad input survive what cannot be written as JSON', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(new InvalidOptionError('x', circular, 'is bad').message).toContain('[object Object]');
  });
});
