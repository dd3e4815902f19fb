import { InvalidOptionError } from '../errors.js';
import { overlaps, parseTags } from './tag-expression.js';

describe('tag expression', () => {
  it('* matches every message, with or without a tag', () => {
    expect(['', 'a', 'anything'].map((tag) => parseTags(' * ').matches(tag))).toEqual([true, true, true]);
    expect(parseTags(undefined).matches('')).toBe(true);
  });

  it('names the tags it matches, by exact text', () => {
    const tags = parseTags('created||paid ||  Ä');
    expect(['created', 'paid', 'Ä', 'Created', 'creat', ''].map((tag) => tags.matches(tag))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it.each(['', 'a |', 'a | b', 'a || ', '|| a', 'a b', 'a || *', 'x'.repeat(128), 7, null])('%p is refused', (tags) => {
    expect(() => parseTags(tags)).toThrow(InvalidOptionError);
  });

  it.each([
    ['*', 'a', true],
    ['a || b', 'b || c', true],
    ['a || b', 'c', false],
  ])('%s and %s overlap: %p', (a, b, expected) => {
    expect(overlaps(parseTags(a), parseTags(b))).toBe(expected);
    expect(overlaps(parseTags(b), parseTags(a))).toBe(expected);
  });
});
