import { inboxKey } from './inbox-key.js';

function long(end: string): string {
  return inboxKey({ messageId: 'x', idempotencyKey: 'ä'.repeat(3000) + end });
}

describe('the name of a message in the inbox', () => {
  it('is its message id when it has no idempotency key', () => {
    expect(inboxKey({ messageId: 'x' })).toBe('m:x');
    expect(inboxKey({ messageId: 'x', orderingKey: 'o' })).toBe('m:x');
  });

  it('is its idempotency key, in the scope of the ordering key', () => {
    expect(inboxKey({ messageId: 'x', idempotencyKey: 'k' })).toBe('k:k');
    expect(inboxKey({ messageId: 'x', idempotencyKey: 'k', orderingKey: 'o' })).not.toBe('k:k');
  });

  it('does not confuse an id with a key', () => {
    expect(inboxKey({ messageId: 'same' })).not.toBe(inboxKey({ messageId: 'x', idempotencyKey: 'same' }));
  });

  it('stays within an index row, and stays different', () => {
    expect(long('1')).not.toBe(long('2'));
    expect(Buffer.byteLength(long('1'))).toBeLessThan(100);
    expect(inboxKey({ messageId: 'x', idempotencyKey: 'k'.repeat(255), orderingKey: 'o'.repeat(255) })).toContain(
      'kkk',
    );
  });

  it('holds no NUL', () => {
    expect(inboxKey({ messageId: 'a\0b' })).not.toContain('\0');
    expect(inboxKey({ messageId: 'a\0b' })).not.toBe(inboxKey({ messageId: 'a\0c' }));
  });
});
