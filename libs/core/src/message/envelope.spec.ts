import { deflateRawSync } from 'node:zlib';
import { UndecodableMessageError } from '../errors.js';
import { decodeMessage, MAX_BODY_BYTES } from './envelope.js';
import type { StoredMessage } from './message.js';

const stored = (rest: Partial<StoredMessage> = {}): StoredMessage => {
  return { messageId: 'm-1', tag: '', orderingKey: '', meta: '{"v":1,"at":5}', body: Buffer.from('{"a":1}'), ...rest };
};

describe('envelope', () => {
  it('is read as a message; what is absent has its default', () => {
    expect(decodeMessage('orders', stored())).toEqual({
      messageId: 'm-1',
      topic: 'orders',
      tag: undefined,
      keys: [],
      orderingKey: undefined,
      idempotencyKey: undefined,
      headers: {},
      bornAt: new Date(5),
      maxAttempts: undefined,
      body: { a: 1 },
    });
  });

  it('is read from bytes as well as from text', () => {
    const meta = Buffer.from('{"v":1,"at":5,"k":["ä"]}');
    expect(decodeMessage('orders', stored({ meta })).keys).toEqual(['ä']);
  });

  it.each(['{"v":1,"at":1763769600123}', '{"v":1, "at":1763769600123}', '{"v":1,"at":1763769600123,"x":3}'])(
    'gives the same instant however it is written: %s',
    (meta) => {
      expect(decodeMessage('orders', stored({ meta })).bornAt).toEqual(new Date('2025-11-22T00:00:00.123Z'));
    },
  );

  it.each(['{"v":1,"at":9999999999e3}', '{"v":1,"at":123456789.125}', '{"v":1,"at":-123456789012}'])(
    'with any other number of as many characters is parsed: %s',
    (meta) => {
      const { at } = JSON.parse(meta) as { at: number };
      expect(decodeMessage('orders', stored({ meta })).bornAt).toEqual(new Date(at));
    },
  );

  it.each<[string, Partial<StoredMessage>]>([
    ['an instant that begins with 0', { meta: '{"v":1,"at":0763769600123}' }],
    ['an instant that is no number', { meta: '{"v":1,"at":17637696OO123}' }],
    ['an envelope that is not closed', { meta: '{"v":1,"at":17637696001234' }],
    ['no message id', { messageId: '' }],
    ['no JSON in its meta', { meta: 'v1' }],
    ['another kind of JSON in its meta', { meta: 'null' }],
    ['no version', { meta: '{"at":5}' }],
    ['a newer version', { meta: '{"v":2,"at":5}' }],
    ['an unknown compression', { meta: '{"v":1,"at":5,"z":"br"}' }],
    ['an unknown encoding', { meta: '{"v":1,"at":5,"c":"x"}' }],
    ['no JSON in its body', { body: Buffer.from('{"a":') }],
    ['a body that is not compressed as it says', { meta: '{"v":1,"at":5,"z":"d"}' }],
    [
      'a body that would grow beyond the limit',
      { meta: '{"v":1,"at":5,"z":"d"}', body: deflateRawSync(Buffer.alloc(MAX_BODY_BYTES + 1, 32)) },
    ],
  ])('that has %s cannot be decoded', (_, rest) => {
    expect(() => decodeMessage('orders', stored(rest))).toThrow(UndecodableMessageError);
  });
});
