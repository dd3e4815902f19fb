// One file per process. Written before the process goes on: what a killed process has done is in its file.
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { faultEvent, readEvent, RECORD_BYTES, writeEvent } from './fault-event.js';
import type { EventKind, FaultEvent, RecordedEvent } from './fault-event.js';

const SUFFIX = '.history';
const CHUNK_RECORDS = 2_000;

/** The name says which process wrote it. */
export function historyPath(folder: string, processNumber: number): string {
  return join(folder, `${processNumber}${SUFFIX}`);
}

export class HistoryFile {
  private readonly file: number;
  private readonly record = Buffer.alloc(RECORD_BYTES);

  constructor(path: string) {
    this.file = openSync(path, 'a');
  }

  /** One write, unbuffered: after it, a SIGKILL cannot take the event back. */
  note(kind: EventKind, given: Partial<FaultEvent> = {}): void {
    writeEvent(faultEvent(kind, given), this.record);
    writeSync(this.file, this.record);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Every event of a folder, oldest first. Each file is in order by itself; they are merged, never held in memory. */
export function* readHistory(folder: string): Generator<RecordedEvent> {
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => events(join(folder, name), Number.parseInt(name, 10)));
  const heads = sources.flatMap((source) => advance(source));
  while (heads.length > 0) {
    let first = 0;
    for (let at = 1; at < heads.length; at++) if (heads[at]!.event.at < heads[first]!.event.at) first = at;
    const { event, source } = heads[first]!;
    yield event;
    const [next] = advance(source);
    if (next) heads[first] = next;
    else heads.splice(first, 1);
  }
}

function advance(source: Iterator<RecordedEvent>): { event: RecordedEvent; source: Iterator<RecordedEvent> }[] {
  const { value, done } = source.next();
  return done ? [] : [{ event: value, source }];
}

function* events(path: string, processNumber: number): Generator<RecordedEvent> {
  const file = openSync(path, 'r');
  const chunk = Buffer.alloc(CHUNK_RECORDS * RECORD_BYTES);
  try {
    for (let position = 0; ;) {
      const bytes = readSync(file, chunk, 0, chunk.length, position);
      // A last record that the process did not finish writing never happened.
      const whole = bytes - (bytes % RECORD_BYTES);
      for (let at = 0; at < whole; at += RECORD_BYTES) yield readEvent(chunk, at, processNumber);
      if (whole < chunk.length) return;
      position += whole;
    }
  } finally {
    closeSync(file);
  }
}
