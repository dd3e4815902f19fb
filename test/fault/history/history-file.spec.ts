import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HistoryFile, historyPath, readHistory } from './history-file.js';

describe('a history', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-fault-spec-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('gives back every field of every event', () => {
    const file = new HistoryFile(historyPath(folder, 4));
    const event = {
      at: 12_345.678,
      producer: 65_535,
      n: 4_000_000_000,
      group: 2,
      key: 65_535_999,
      attempt: 17,
      crashes: 3,
      wall: 1_700_000_000_123.5,
      sum: 4_294_967_295,
      id: 7,
      run: 3_000_000_000,
      fence: 1_700_000_000_124,
      flags: 1,
    };
    file.note('start', event);
    file.close();
    expect([...readHistory(folder)]).toEqual([{ ...event, kind: 'start', process: 4 }]);
  });

  it('merges the files of many processes by time, however long they are', () => {
    const files = [0, 1, 2].map((number) => new HistoryFile(historyPath(folder, number)));
    for (let at = 0; at < 9_000; at++) files[(at % 7) % 3]!.note('done', { at, n: at });
    for (const file of files) file.close();
    const merged = [...readHistory(folder)].map(({ n }) => n);
    expect(merged).toEqual(Array.from({ length: 9_000 }, (_, n) => n));
  });

  it('passes over the record that a killed process did not finish writing', () => {
    const file = new HistoryFile(historyPath(folder, 0));
    file.note('ok', { n: 1 });
    file.close();
    appendFileSync(historyPath(folder, 0), Buffer.alloc(20, 1));
    expect([...readHistory(folder)].map(({ n }) => n)).toEqual([1]);
  });
});
