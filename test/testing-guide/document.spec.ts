// The code of docs/testing.md is what the specs of this folder run.
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const document = read('../../docs/testing.md');
const blocks = [...document.matchAll(/^`([^`\n]+\.ts)`\n\n```ts\n([\s\S]*?)^```$/gm)];

describe('docs/testing.md', () => {
  it('says of every TypeScript block which file it is', () => {
    expect(blocks.map(([, file]) => file)).toEqual([
      'src/orders.ts',
      'src/app.module.ts',
      'test/order-timeout.spec.ts',
    ]);
    expect(document.match(/^```ts$/gm)).toHaveLength(blocks.length);
  });

  it.each(blocks.map(([, file, text]) => [file!, text!]))(
    'has the text of %s that is compiled and run',
    (file, text) => {
      expect(text).toBe(read(`./${file.replace('.spec.ts', '.int.spec.ts')}`));
    },
  );
});
