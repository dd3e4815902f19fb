import { describe, expect, it } from '@jest/globals';
import { decodeMessage, FIRST_DELIVERY, UndecodableMessageError } from '@millrace/core';
import { decodeEntry, type RawEntry } from './entry-codec.js';
import { decodeState, encodeState } from './retry-field.js';

const entry = (...fields: string[]): RawEntry => [Buffer.from('1-0'), fields.map((field) => Buffer.from(field))];
const FIELDS = ['i', 'id-1', 't', 'paid', 'o', 'k', 'm', '{"v":1,"at":5}', 'b', '{"n":1}'];

describe('entries', () => {
  it('are read as a message in its first delivery', () => {
    const decoded = decodeEntry(entry(...FIELDS));
    expect(decoded).toMatchObject({ entryId: '1-0', state: FIRST_DELIVERY });
    expect(decoded.message).toMatchObject({ messageId: 'id-1', tag: 'paid', orderingKey: 'k' });
    expect(decodeMessage('t', decoded.message).body).toEqual({ n: 1 });
  });

  it('of a retry stream bring their state', () => {
    const state = { attempt: 3, crashes: 1, generation: 0, failures: [] };
    const decoded = decodeEntry(entry(...FIELDS, 'r', encodeState(state, { fence: 7, readyAt: 5 })));
    expect(decoded).toMatchObject({ fencedBy: 7, readyAt: 5 });
    expect(decoded.state).toEqual(state);
  });

  it.each([
    ['with other field names', ['x', 'id-1', 't', '', 'o', '', 'm', '', 'b', '']],
    ['with too few fields', ['i', 'id-1']],
    ['with an empty message id', ['i', '', 't', '', 'o', '', 'm', '{"v":1,"at":5}', 'b', '1']],
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
