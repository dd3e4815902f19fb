import { MqEvents, type FailureRecord } from '@millrace/core';
import { expect, it, jest } from '@jest/globals';
import { logEvents } from './event-log.js';

const of = { topic: 'orders', group: 'billing', messageId: 'm-1', attempt: 3 };
const failure: FailureRecord = { attempt: 3, at: 0, durationMs: 5, error: 'TypeError', text: 'x is undefined' };

function logged(): {
  events: MqEvents;
  logger: Record<'debug' | 'warn' | 'error', ReturnType<typeof jest.fn>>;
  off: () => void;
} {
  const [events, logger] = [new MqEvents(), { debug: jest.fn(), warn: jest.fn(), error: jest.fn() }];
  return { events, logger, off: logEvents(events, logger) };
}

it('what an operator must see is a warning, naming message, topic and group', () => {
  const { events, logger } = logged();
  events.emit('dead-letter', { ...of, reason: 'attempts-exhausted', text: 'x is undefined' });
  events.emit('broadcast-failed', { ...of, reason: 'rejected', text: 'no use', failures: [] });
  events.emit('gap', { topic: 'orders', group: 'billing', queue: 2, missed: 7 });
  events.emit('gap', { topic: 'orders', group: 'billing', queue: 2 });
  events.emit('stalled', { ...of, timeoutMs: 900 });
  events.emit('claim-lost', of);
  events.emit('lease-lost', of);
  expect(logger.warn.mock.calls).toEqual([
    ['attempts-exhausted: message m-1 of orders for billing (attempt 3) is a dead letter now: x is undefined'],
    ['rejected: message m-1 of orders for billing (attempt 3) is given up: no use'],
    ['billing missed 7 messages of queue 2 of orders: trimmed before they were read'],
    ['billing missed an unknown number of messages of queue 2 of orders: trimmed before they were read'],
    ['The listener of message m-1 of orders for billing (attempt 3) still runs after its time-out of 900 ms'],
    [
      'The key of message m-1 of orders for billing (attempt 3) was taken over while it was handled: its effect may happen twice',
    ],
    ['The lease of message m-1 of orders for billing (attempt 3) was lost: its effect may happen twice'],
  ]);
});

it('a retry is news for debugging only', () => {
  const { events, logger } = logged();
  events.emit('retry', { ...of, delayMs: 10_000, failure, error: new TypeError('x is undefined') });
  expect(logger.debug.mock.calls).toEqual([
    ['message m-1 of orders for billing (attempt 3) failed, next attempt in 10000 ms: TypeError: x is undefined'],
  ]);
  expect(logger.warn).not.toHaveBeenCalled();
});

it('a failing background loop is an error with its stack', () => {
  const { events, logger } = logged();
  const error = new Error('connection refused');
  events.emit('loop-error', { loop: 'promote orders', error });
  events.emit('loop-error', { loop: 'trim orders', error: 'broken' });
  expect(logger.error.mock.calls).toEqual([
    ['Background loop promote orders failed and goes on: Error: connection refused', error.stack],
    ['Background loop trim orders failed and goes on: broken', undefined],
  ]);
});

it('what goes well is not logged, and nothing is after it was told to stop', () => {
  const { events, logger, off } = logged();
  events.emit('done', { ...of, durationMs: 1 });
  off();
  events.emit('lease-lost', of);
  expect([logger.debug, logger.warn, logger.error].flatMap((level) => level.mock.calls)).toEqual([]);
});
