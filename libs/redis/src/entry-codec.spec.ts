import { describe, expect, it } from '@jest/globals';
import { decodeMessage, FIRST_DELIVERY, UndecodableMessageError } from '@millrace/core';
import { decodeEntry, headerOf, type RawEntry } from './entry-codec.js';
import { decodeState, encodeState } from './retry-field.js';

const entry = (...fields: string[]): RawEntry => [Buffer.from('1-0'), fields.map((field) => Buffer.from(field))];
const FIELDS = ['id-1\npaid\n1\nk{"v":1,"at":5}', '{"n":1}'];

describe('entries', () => {
  it('are read as a message in its first delivery', () => {
    const decoded = decodeEntry(entry(...FIELDS));
    expect(decoded).toMatchObject({ entryId: '1-0', state: FIRST_DELIVERY });
    expect(decoded.message).toMatchObject({ messageId: 'id-1', tag: 'paid', orderingKey: 'k' });
    expect(decodeMessage('t', decoded.message).body).toEqual({ n: 1 });
  });

  it.each([
    ['in ASCII', 'paid', 'k', '{"v":1,"at":5}'],
    ['with an ordering key of several lines', '', 'a\n\nb\n', '{"v":1,"at":5}'],
    ['in any script', '已付款', 'ключ 🔑\n', '{"v":1,"at":5,"h":{"name":"Zoë"}}'],
    ['with an envelope of raw bytes', 'été', '', Buffer.from([0x7b, 0x0a, 0xff, 0xc3, 0x28])],
  ])('carry a header %s unchanged', (_, tag, orderingKey, meta) => {
    const message = { messageId: 'id-1', tag, orderingKey, meta };
    const raw: RawEntry = [Buffer.from('1-0'), [headerOf(message), '1'].map((field) => Buffer.from(field))];
    const { message: read } = decodeEntry(raw);
    expect({ ...read, meta: Buffer.from(read.meta) }).toEqual({
      ...message,
      meta: Buffer.from(meta),
      body: Buffer.from('1'),
    });
  });

  it('of a retry stream bring their state', () => {
    const state = { attempt: 3, crashes: 1, generation: 0, failures: [] };
    const decoded = decodeEntry(entry(...FIELDS, 'r', encodeState(state, { fence: 7, readyAt: 5 })));
    expect(decoded).toMatchObject({ fencedBy: 7, readyAt: 5 });
    expect(decoded.state).toEqual(state);
  });

  it.each([
    ['with a field of a name', ['order', '{"n":1}']],
    ['with several fields of a name', ['h', FIELDS[0]!, 'b', '1']],
    ['with a second field that is no retry state', [...FIELDS, 'x', '']],
    ['with more fields than a retry state', [...FIELDS, 'r', '{}', 'x', '']],
    ['with too few lines in the header', ['id-1\n\n{"v":1,"at":5}', '1']],
    ['with an ordering key that is longer than the header', ['id-1\n\n99\nk{"v":1,"at":5}', '1']],
    ['with an ordering key of no length', ['id-1\n\nk\nk{"v":1,"at":5}', '1']],
    ['with an empty message id', ['\n\n0\n{"v":1,"at":5}', '1']],
  ])('%s become a message that cannot be decoded, with its raw bytes', (_, fields) => {
    const { message } = decodeEntry(entry(...fields));
    expect(() => decodeMessage('t', message)).toThrow(UndecodableMessageError);
    const raw = JSON.parse(message.body.toString()) as string[];
    expect(raw.map((part) => Buffer.from(part, 'base64').toString())).toEqual(fields);
  });

  it('with an unreadable state start anew instead of being lost', () => {
    expect(decodeState('{broken')).toEqual(FIRST_DELIVERY);
    expect(decodeState('{"attempt":2,"failures":{}}')).toMatchObject({ attempt: 2, failures: [], crashes: 0 });
  });
});
