import { randomBytes } from 'node:crypto';
import { newRow, newRows, partitionOf, PARTITIONS, sendRequest, type NewRow, type OutboxRow } from './outbox-row.js';

function stored(row: NewRow, changes: Partial<OutboxRow> = {}): OutboxRow {
  return { ...row, seq: '1', attempts: 0, delayLeftMs: row.delayMs, ...changes };
}

describe('a message as a row', () => {
  it('is the same send again when it is read', () => {
    const options = {
      tag: 't',
      keys: ['a'],
      headers: { h: '1' },
      idempotencyKey: 'i',
      orderingKey: 'o',
      maxAttempts: 2,
      ttl: 90_000,
    };
    const row = newRow('orders', { n: 1 }, options, {});
    expect(sendRequest(stored(row))).toEqual({
      destination: 'orders',
      body: { n: 1 },
      options: { ...options, messageId: row.id },
    });
  });

  it('turns a delay level of the connection into its delay', () => {
    expect(newRow('orders', 1, { delayLevel: 2 }, { delayLevels: [10, 20] })).toMatchObject({
      delayMs: 20,
      deliverAtMs: null,
    });
  });

  it('sends what is left of a delay', () => {
    const row = newRow('orders', 1, { delay: '30s' }, {});
    expect(sendRequest(stored(row, { delayLeftMs: 12_345 })).options).toMatchObject({ delay: 12_345 });
  });

  it('is as it was given to whoever reads the table: a long body is not compressed', () => {
    const body = { text: 'long '.repeat(2000) };
    const row = newRow('orders', body, {}, {});
    expect(JSON.parse(row.body.toString())).toEqual(body);
    expect(row.meta).not.toContain('"z"');
    expect(sendRequest(stored(row)).body).toEqual(body);
  });

  it.each([
    ['its ordering key', { orderingKey: 'o', keys: ['a'] }, 'o'],
    ['else its first key', { keys: ['a', 'b'], idempotencyKey: 'i' }, 'a'],
    ['else its id', { messageId: 'm', idempotencyKey: 'i' }, 'm'],
    ['its id also when the key is one that SQL text cannot hold', { messageId: 'm', keys: ['a\0b', 'c'] }, 'm'],
  ])('is about %s', (_, options, aggregateId) => {
    expect(newRow('orders', 1, options, {})).toMatchObject({ aggregateId });
  });

  it('has a partition only with an ordering key', () => {
    expect(newRow('orders', 1, {}, {}).partition).toBeNull();
    expect(newRow('orders', 1, { orderingKey: 'k' }, {}).partition).toBe(partitionOf('orders', 'k'));
  });
});

describe('a list of messages', () => {
  it('is refused when its bodies are more than one statement should carry', () => {
    const body = randomBytes(4 * 1024 * 1024); // nothing to compress
    const list = (count: number) => Array.from({ length: count }, () => ({ destination: 'orders', body }));
    expect(newRows(list(16), {})).toHaveLength(16);
    expect(() => newRows(list(17), {})).toThrow('sendAll: bodies must not exceed 67108864 bytes together');
  });
});

describe('the partition of an ordering key', () => {
  it('never changes, because it is stored: these are the numbers of version 1', () => {
    expect(PARTITIONS).toBe(32);
    expect(['', 'a', 'order 7', 'ä'].map((key) => partitionOf('orders', key))).toEqual([15, 29, 6, 8]);
  });

  it('spreads keys over all partitions', () => {
    const used = new Set(Array.from({ length: 1000 }, (_, n) => partitionOf('orders', `order ${n}`)));
    expect(used.size).toBe(PARTITIONS);
  });
});
