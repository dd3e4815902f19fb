import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cacheFolder, publishFolder } from './cache-folder.js';

describe('the cache of server binaries', () => {
  const cacheHome = process.env.XDG_CACHE_HOME;
  let scratch: string;

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'millrace-spec-'));
  });

  afterEach(() => {
    rmSync(scratch, { recursive: true });
    if (cacheHome === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = cacheHome;
  });

  function unpacked(name: string): string {
    const folder = join(scratch, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'first'), name);
    writeFileSync(join(folder, 'second'), name);
    return folder;
  }

  it('lies where the user keeps caches', () => {
    process.env.XDG_CACHE_HOME = scratch;
    expect(cacheFolder()).toBe(join(scratch, 'millrace'));
  });

  it('moves elsewhere when that place cannot be written', () => {
    const file = join(scratch, 'file');
    writeFileSync(file, '');
    process.env.XDG_CACHE_HOME = file;
    expect(existsSync(cacheFolder())).toBe(true);
    expect(cacheFolder()).not.toContain(file);
  });

  it('never mixes the files of two processes that fetch at the same time', async () => {
    const target = join(scratch, 'redis');
    const folders = ['a', 'b', 'c'].map(unpacked);
    await Promise.all(folders.map((folder) => publishFolder(folder, target)));
    const first = readFileSync(join(target, 'first'), 'utf8');
    expect(readFileSync(join(target, 'second'), 'utf8')).toBe(first);
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  });
});
