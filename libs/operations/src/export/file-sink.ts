// NDJSON in a file, each letter once, also after a kill: the file is cut back to what is sure before it grows again.
import { open, type FileHandle } from 'node:fs/promises';
import type { ExportSink } from './export-sink.js';
import type { ExportedDeadLetter } from './exported-dead-letter.js';

export class FileSink implements ExportSink {
  private handle: FileHandle | undefined;
  private size = 0;

  constructor(private readonly file: string) {}

  async write(letters: readonly ExportedDeadLetter[], from: number | undefined): Promise<number> {
    const handle = (this.handle ??= await this.begin(from));
    const bytes = Buffer.from(letters.map((letter) => `${JSON.stringify(letter)}\n`).join(''));
    let at = 0;
    while (at < bytes.length) at += (await handle.write(bytes, at, bytes.length - at, this.size + at)).bytesWritten;
    // What is noted as sure must outlive the machine, not only the process.
    await handle.datasync();
    this.size += bytes.length;
    return this.size;
  }

  /** An export without letters leaves an empty file. */
  async end(from: number | undefined): Promise<void> {
    this.handle ??= await this.begin(from);
  }

  async close(): Promise<void> {
    await this.handle?.close();
    this.handle = undefined;
  }

  private async begin(from = 0): Promise<FileHandle> {
    // 'a' makes it where it is missing and keeps what is there; writing at a position needs 'r+'.
    await (await open(this.file, 'a')).close();
    const handle = await open(this.file, 'r+');
    await handle.truncate(from);
    this.size = from;
    return handle;
  }
}
