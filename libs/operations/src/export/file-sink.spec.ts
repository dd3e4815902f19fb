import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { ExportedDeadLetter } from './exported-dead-letter.js';
import { FileSink } from './file-sink.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-sink-'));
  file = join(folder, 'letters.ndjson');
});
afterEach(() => rm(folder, { recursive: true }));

const letter = (name: string): ExportedDeadLetter => ({ name }) as ExportedDeadLetter;
const names = async (): Promise<string[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .flatMap((line) => (line === '' ? [] : (JSON.parse(line) as { name: string }).name));

it('grows by what it is given and says how much is sure', async () => {
  const sink = new FileSink(file);
  const first = await sink.write([letter('a')], undefined);
  const second = await sink.write([letter('b'), letter('c')], first);
  await sink.close();
  expect(await names()).toEqual(['a', 'b', 'c']);
  expect(second).toBe((await readFile(file)).length);
});

it('after a kill is cut back to what was sure: nothing twice, no half line', async () => {
  const killed = new FileSink(file);
  const sure = await killed.write([letter('a')], undefined);
  await killed.write([letter('b'), letter('c'), letter('d')], sure);
  await killed.close();
  await appendFile(file, '{"name":"half');
  const resumed = new FileSink(file);
  await resumed.write([letter('b')], sure);
  await resumed.close();
  expect(await names()).toEqual(['a', 'b']);
});

it('replaces what an earlier export left', async () => {
  await appendFile(file, '{"name":"old"}\n{"name":"older"}\n');
  const sink = new FileSink(file);
  await sink.write([letter('new')], undefined);
  await sink.close();
  expect(await names()).toEqual(['new']);
});

it('without letters is empty', async () => {
  await appendFile(file, '{"name":"old"}\n');
  const sink = new FileSink(file);
  await sink.end(undefined);
  await sink.close();
  expect(await names()).toEqual([]);
});
