import { InvalidOptionError } from '@millrace/core';
import { expect, it } from '@jest/globals';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { getMqContext, isMqContext } from './execution-context.js';

it('a listener call is told from a request, and gives its context', () => {
  const context = { topic: 'orders' };
  const host = new ExecutionContextHost([{ id: 'o-1' }, context]);
  host.setType('mq');
  expect(isMqContext(host)).toBe(true);
  expect(getMqContext(host)).toBe(context);
});

it('a request has no message: asking for its context is an error and not the response object', () => {
  const host = new ExecutionContextHost([{}, {}]);
  expect(isMqContext(host)).toBe(false);
  expect(() => getMqContext(host)).toThrow(InvalidOptionError);
});
