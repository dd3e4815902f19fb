// Where a group stands in one stream, by ids.
import type { OldEnd } from '@millrace/core';
import type { Caller } from './caller.js';
import { entryMs } from './entry-codec.js';

const LARGEST_SEQUENCE = '18446744073709551615';

export class StreamPosition {
  private constructor(
    /** Id up to which the group has read. */
    readonly read: string,
    /** Latest id of the stream, whether it is kept or not. */
    readonly newest: string,
    readonly oldEnd: OldEnd,
  ) {}

  /** Undefined when the stream or the group is not there. */
  static async read(caller: Caller, stream: string, group: string): Promise<StreamPosition | undefined> {
    const reply = (await caller.run('stream-position', [stream], [group])) as [string, string, string, number] | string;
    if (typeof reply === 'string') return undefined;
    const [read, newest, first, trimmed] = reply;
    const firstKeptMs = first === '' ? undefined : entryMs(first);
    return new StreamPosition(read, newest, { isTrimmed: trimmed === 1, firstKeptMs });
  }

  /** Whether the group has read something from the first id of a ms on. */
  hasRead(id: string): boolean {
    return entryMs(this.read) >= entryMs(id);
  }

  /** The last id in front of the first one of a ms. */
  before(id: string): string {
    return `${Math.max(0, entryMs(id) - 1)}-${LARGEST_SEQUENCE}`;
  }
}
