// Reads the bodies of a batch and hands it to the sink.
import type { BrokerAdmin, DeadLetter, DeadLetterSummary } from '@millrace/core';
import type { OperationSpec } from '../operation.js';
import type { ExportSink } from './export-sink.js';
import { exported } from './exported-dead-letter.js';

export class Exporter {
  /** So many bytes are sure. */
  written: number | undefined;

  constructor(
    private readonly spec: OperationSpec,
    private readonly admin: BrokerAdmin,
    private readonly sink: ExportSink,
  ) {}

  /** How many were there to be written. */
  async write(batch: readonly DeadLetterSummary[], from: number | undefined): Promise<number> {
    const { topic, group, diedUntil } = this.spec;
    const letters: DeadLetter[] = [];
    // One after the other: each may have 4 MiB.
    for (const { name } of batch) {
      const letter = await this.admin.deadLetter(topic, group, name);
      if (letter && letter.deadAt.getTime() <= diedUntil) letters.push(letter);
    }
    this.written = await this.sink.write(letters.map(exported), from);
    return letters.length;
  }

  end(from: number | undefined): Promise<void> {
    return this.sink.end(from);
  }
}
