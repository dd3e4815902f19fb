import { boundedText, failureRecord } from './failure-record.js';

class CardRefused extends Error {}

describe('failure record', () => {
  it('names the class of the error, also when the class sets no name', () => {
    expect(failureRecord(new CardRefused('no funds'), 3, 1000, 12.6)).toEqual({
      attempt: 3,
      at: 1000,
      durationMs: 13,
      error: 'CardRefused',
      text: 'no funds',
      stack: expect.stringContaining('no funds') as unknown,
    });
    expect(failureRecord(new TypeError('x'), 1, 0, 0).error).toBe('TypeError');
    expect(failureRecord(new Error('x'), 1, 0, 0).error).toBe('Error');
  });

  it.each<[string, unknown, string, string]>([
    ['a string', 'sold out', 'string', 'sold out'],
    ['undefined', undefined, 'undefined', 'undefined'],
    ['null', null, 'object', 'null'],
    ['an object', { code: 7 }, 'Object', '{"code":7}'],
    ['an object with a message', { message: 'hm', code: 7 }, 'Object', 'hm'],
  ])('describes %s that was thrown', (_, thrown, error, text) => {
    expect(failureRecord(thrown, 1, 0, 0)).toMatchObject({ error, text });
    expect(failureRecord(thrown, 1, 0, 0)).not.toHaveProperty('stack');
  });

  it('survives an error that cannot be read', () => {
    const trap = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('no');
      },
    });
    expect(failureRecord(trap, 1, 0, 0).text).toBe('the error cannot be read');
  });

  it('keeps at most 1 KiB of text and 4 KiB of stack', () => {
    const error = new Error('ä'.repeat(5000));
    error.stack = 'é'.repeat(9000);
    const record = failureRecord(error, 1, 0, 0);
    expect(Buffer.byteLength(record.text)).toBeLessThanOrEqual(1024);
    expect(Buffer.byteLength(record.text)).toBeGreaterThan(1000);
    expect(Buffer.byteLength(record.stack!)).toBeLessThanOrEqual(4096);
  });
});

describe('bounded text', () => {
  it('keeps what fits, to the last byte', () => {
    expect(boundedText('ä'.repeat(512), 1024)).toBe('ä'.repeat(512));
  });

  it.each([1021, 1022, 1023, 1024])('never ends inside a character (%i bytes)', (max) => {
    for (const character of ['ä', '€', '😀']) {
      const text = boundedText(character.repeat(2000), max);
      expect(text).toMatch(new RegExp(`^(${character})+…$`, 'u'));
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(max);
    }
  });
});
