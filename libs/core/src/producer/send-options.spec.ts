import { InvalidOptionError } from '../errors.js';
import { checkSendOptions, type SendOptions } from './send-options.js';

const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);
const entries = (count: number): Record<string, string> => Object.fromEntries(many(count).map((name) => [name, '']));

describe('options of a send', () => {
  it.each<[string, unknown]>([
    ["send.dely: unknown option; did you mean 'delay'?", { dely: '5m' }],
    ["send.idempotencykey: unknown option; did you mean 'idempotencyKey'?", { idempotencykey: 'x' }],
    ['send.priority: unknown option', { priority: 1 }],
    ['send: must be an object', 'created'],
    ['send: must be an object', null],
    ['send.tag', { tag: 'a b' }],
    ['send.tag', { tag: '' }],
    ['send.keys', { keys: 'o-1' }],
    ['send.keys', { keys: many(65) }],
    ['send.keys[1]', { keys: ['a', ''] }],
    ['send.keys[0]', { keys: ['x'.repeat(256)] }],
    ['send.idempotencyKey', { idempotencyKey: '' }],
    ['send.idempotencyKey', { idempotencyKey: 7 }],
    ['send.idempotencyKey', { idempotencyKey: 'x'.repeat(256) }],
    ['send.orderingKey', { orderingKey: 'ä'.repeat(128) }],
    ['send.messageId', { messageId: '' }],
    ['send.messageId', { messageId: 'a\nb' }],
    ['send.headers', { headers: ['a'] }],
    ['send.headers.retries', { headers: { retries: 3 } }],
    ['send.headers: at most 128 entries', { headers: entries(129) }],
    ['send.headers: must not exceed 32768 bytes', { headers: { long: 'x'.repeat(32_768) } }],
    ['send.maxAttempts', { maxAttempts: 0 }],
    ['send.maxAttempts', { maxAttempts: 10_001 }],
    ['send.maxAttempts', { maxAttempts: 1.5 }],
    ["send.delay: cannot be combined with 'deliverAt'", { delay: 1, deliverAt: new Date() }],
    ['send.delay: a duration', { delay: 'soon' }],
  ])('are refused as "%s": %o', (text, options) => {
    const check = (): void => checkSendOptions('orders', {}, options as SendOptions);
    expect(check).toThrow(InvalidOptionError);
    expect(check).toThrow(text);
  });

  it('are accepted up to their limits', () => {
    const options: SendOptions = {
      tag: 'created',
      keys: [...many(63), 'x'.repeat(255)],
      idempotencyKey: 'x'.repeat(255),
      orderingKey: 'ä'.repeat(127),
      messageId: 'm',
      headers: entries(128),
      maxAttempts: 10_000,
      delay: '365d',
    };
    expect(() => checkSendOptions('orders', null, options)).not.toThrow();
    expect(() => checkSendOptions('orders', null, { headers: { long: 'x'.repeat(32_764) } })).not.toThrow();
  });

  it('may be undefined one by one', () => {
    expect(() => checkSendOptions('orders', 1, { tag: undefined, delay: undefined, keys: undefined })).not.toThrow();
  });

  it('cannot repeat the tag of the destination, not even the same one', () => {
    expect(() => checkSendOptions('orders:paid', 1, { tag: 'paid' })).toThrow("'orders:paid' has a tag already");
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', (): number => 1],
    ['a symbol', Symbol('x')],
    ['a bigint inside', { a: 1n }],
    ['more than 4 MiB', 'x'.repeat(4 * 1024 * 1024)],
    ['more than 4 MiB of bytes', Buffer.alloc(4 * 1024 * 1024 + 1)],
  ])('come with a body that is no JSON value or too large: %s', (_, body) => {
    expect(() => checkSendOptions('orders', body)).toThrow(InvalidOptionError);
    expect(() => checkSendOptions('orders', body)).toThrow(expect.objectContaining({ option: 'body' }));
  });
});
