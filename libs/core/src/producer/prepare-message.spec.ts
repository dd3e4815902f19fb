import { createHash, randomBytes } from 'node:crypto';
import { decodeMessage, storedMessage } from '../message/envelope.js';
import { prepareMessage } from './prepare-message.js';
import type { SendOptions } from './send-options.js';

const now = Date.UTC(2026, 0, 1);
const prepare = (body: unknown, options?: SendOptions, destination = 'orders'): ReturnType<typeof prepareMessage> =>
  prepareMessage(destination, body, options, { now });
const roundTrip = (body: unknown, options?: SendOptions): ReturnType<typeof decodeMessage> =>
  decodeMessage('orders', storedMessage(prepare(body, options)));

describe('prepared message', () => {
  it('of a plain send has an id, an envelope and nothing else', () => {
    const message = prepare({ a: 1 });
    expect(message).toMatchObject({ topic: 'orders', tag: '', orderingKey: '', meta: `{"v":1,"at":${now}}` });
    expect(message.body.toString()).toBe('{"a":1}');
    expect(message.messageId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(message.routingKey).toBe(message.messageId);
    expect([message.identity, message.due]).toEqual([undefined, undefined]);
  });

  it('keeps everything that was said until it is decoded', () => {
    const options = {
      tag: 'created',
      keys: ['o-1', 'ä"\\'],
      idempotencyKey: 'pay-1',
      orderingKey: 'customer-7',
      headers: { 'x-y': 'z', ä: '"' },
      maxAttempts: 5,
    };
    const { messageId, ...message } = roundTrip({ total: 3 }, options);
    expect(messageId).toHaveLength(36);
    expect(message).toEqual({ topic: 'orders', bornAt: new Date(now), body: { total: 3 }, ...options });
  });

  it.each([[null], [0], [''], [false], ['text'], [[1, [2]]], [{ deep: { ä: null } }]])(
    'brings back the body %j',
    (body) => {
      expect(roundTrip(body).body).toEqual(body);
    },
  );

  it('brings back bytes as bytes', () => {
    const bytes = randomBytes(300);
    expect(roundTrip(bytes).body).toEqual(bytes);
    expect(roundTrip(new Uint8Array(bytes.buffer, bytes.byteOffset + 10, 20)).body).toEqual(bytes.subarray(10, 30));
  });

  it('is routed by ordering key, else idempotency key, else message id', () => {
    const keys: SendOptions = { orderingKey: 'o', idempotencyKey: 'i', messageId: 'm' };
    expect(prepare(1, keys).routingKey).toBe('o');
    expect(prepare(1, { ...keys, orderingKey: undefined }).routingKey).toBe('i');
    expect(prepare(1, { messageId: 'm' }).routingKey).toBe('m');
  });

  it('has an identity when it has an idempotency key, scoped by the ordering key', () => {
    expect(prepare(1, { idempotencyKey: 'i' }).identity).toMatchObject({ record: 'k:i', key: 'i' });
    expect(prepare(1, { idempotencyKey: 'i', orderingKey: 'o' }).identity).toMatchObject({
      record: 'o:1:o:i',
      key: 'i',
    });
  });

  it('has an identity when its message id is explicit', () => {
    const message = prepare(1, { messageId: 'm' });
    expect(message).toMatchObject({ messageId: 'm', identity: { record: 'm:m', key: 'm' } });
  });

  it('is compared by a digest of tag and body, whatever its id, its other options and its compression', () => {
    const digest = (body: unknown, options: SendOptions = {}): string =>
      prepare(body, { idempotencyKey: 'i', ...options }).identity!.digest;
    expect(digest({ a: 1 })).toBe(createHash('sha256').update('\n{"a":1}').digest('hex').slice(0, 32));
    expect(digest({ a: 1 }, { keys: ['k'], maxAttempts: 3, delay: '1s' })).toBe(digest({ a: 1 }));
    expect(digest({ a: 1 }, { tag: 't' })).not.toBe(digest({ a: 1 }));
    expect(digest({ a: 2 })).not.toBe(digest({ a: 1 }));
    const long = 'x'.repeat(9000);
    expect(digest(long)).toBe(createHash('sha256').update(`\n"${long}"`).digest('hex').slice(0, 32));
  });

  it('waits as its options say', () => {
    expect(prepare(1, { delay: '30m' }).due).toEqual({ delayMs: 1_800_000 });
    expect(prepare(1, { deliverAt: new Date(now + 1000) }).due).toEqual({ atMs: now + 1000 });
    expect(prepare(1, { deliverAt: new Date(now - 1000) }).due).toBeUndefined();
  });

  it('takes its tag from the destination or from the options', () => {
    expect(prepare(1, undefined, 'orders:paid').tag).toBe('paid');
    expect(prepare(1, { keys: ['k'] }, 'orders:paid').tag).toBe('paid');
    expect(prepare(1, { tag: 'paid' }).tag).toBe('paid');
  });
});

describe('compression', () => {
  const words = 'the quick brown fox jumps over the lazy dog '.repeat(3000);

  it('is left out up to 4 KiB', () => {
    const body = words.slice(0, 4094);
    expect(prepare(body).body).toHaveLength(4096);
    expect(prepare(body).meta).not.toContain('"z"');
  });

  it.each([4095, 50_000, 120_000])('makes a text of %i characters smaller and brings it back', (length) => {
    const body = words.slice(0, length);
    const message = prepare(body);
    expect(message.body.length).toBeLessThan(length / 2);
    expect(message.meta).toContain('"z":"d"');
    expect(decodeMessage('orders', storedMessage(message)).body).toBe(body);
  });

  it('is left out where the caller says so', () => {
    const body = words.slice(0, 50_000);
    const message = prepareMessage('orders', body, {}, { compress: false });
    expect(message.body.toString()).toBe(JSON.stringify(body));
    expect(message.meta).not.toContain('"z"');
  });

  it('is made for base64, of which a quarter can be saved', () => {
    const message = prepare(randomBytes(9000).toString('base64'));
    expect(message.meta).toContain('"z":"d"');
    expect(message.body.length).toBeLessThan(10_000);
  });

  it('is made for text behind a beginning that looks random, whatever the size', () => {
    for (const length of [8000, 120_000]) {
      const bytes = Buffer.concat([randomBytes(512), Buffer.from(words.slice(0, length))]);
      const message = prepare(bytes);
      expect(message.meta).toContain('"z":"d"');
      expect(decodeMessage('orders', storedMessage(message)).body).toEqual(bytes);
    }
  });

  it.each([5000, 200_000])('is left out for %i bytes that do not get a tenth smaller', (length) => {
    const bytes = randomBytes(length);
    expect(prepare(bytes).body).toEqual(bytes);
    expect(prepare(bytes).meta).not.toContain('"z"');
  });
});
