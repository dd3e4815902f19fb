import { describe, expect, it } from '@jest/globals';
import { RespScanner } from './resp-scanner.js';

const VALUES = {
  'a simple string': '+OK\r\n',
  'an error': '-ERR no\r\n',
  'an integer': ':-12\r\n',
  'a bulk string': '$5\r\na\r\nbc\r\n',
  'an empty bulk string': '$0\r\n\r\n',
  'a null bulk string': '$-1\r\n',
  'a null array': '*-1\r\n',
  'an empty array': '*0\r\n',
  'nested arrays': '*3\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n+x\r\n',
  'a map': '%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n',
  'a set': '~2\r\n:1\r\n:2\r\n',
  'a null, a boolean, a double and a big number in an array': '*4\r\n_\r\n#t\r\n,1.5\r\n(123\r\n',
  'a verbatim string and a blob error': '*2\r\n=7\r\ntxt:abc\r\n!5\r\nERR x\r\n',
  'a value with an attribute': '|1\r\n+ttl\r\n:5\r\n*1\r\n+v\r\n',
};

describe('RespScanner', () => {
  for (const [name, value] of Object.entries(VALUES)) {
    it(`finds the end of ${name}, whole and byte by byte`, () => {
      const bytes = Buffer.from(`${value}${value}`);
      expect(new RespScanner().scan(bytes).map(({ end }) => end)).toEqual([value.length, 2 * value.length]);
      const scanner = new RespScanner();
      const ends: number[] = [];
      for (let at = 0; at < bytes.length; at++) {
        if (scanner.scan(bytes.subarray(at, at + 1)).length > 0) ends.push(at + 1);
      }
      expect(ends).toEqual([value.length, 2 * value.length]);
    });
  }

  it('tells a push from a reply', () => {
    const push = '>2\r\n+message\r\n+x\r\n';
    const frames = new RespScanner().scan(Buffer.from(`${push}+OK\r\n`));
    expect(frames).toEqual([
      { end: push.length, isPush: true },
      { end: push.length + 5, isPush: false },
    ]);
  });

  it('refuses other protocols at the first byte', () => {
    expect(() => new RespScanner().scan(Buffer.from([0, 0, 0, 8]))).toThrow('not RESP');
  });
});
