import { describe, expect, it } from '@jest/globals';
import { table } from './table.js';

describe('a table of the benchmark page', () => {
  it('has columns as wide as their widest cell', () => {
    expect(table(['peer', '', 'ratio'], [['ioredis', 'met', '0.5 ×']])).toBe(
      ['| peer    |     | ratio |', '| ------- | --- | ----- |', '| ioredis | met | 0.5 × |'].join('\n'),
    );
  });

  it('keeps a bar inside of a cell from making a cell of its own', () => {
    expect(table(['why'], [['a | b']])).toContain('| a \\| b |');
  });
});
