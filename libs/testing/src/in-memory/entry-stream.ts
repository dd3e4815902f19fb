// One queue: an append-only row of entries that groups read with a cursor. Positions grow by one and are never used
// again, so a cursor stays valid whatever is trimmed before it.
import type { OldEnd, StoredMessage } from '@millrace/core';

export interface Entry {
  readonly position: number;
  /** When it became ready; Unix ms of the store's clock. */
  readonly readyAt: number;
  readonly message: StoredMessage;
}

export function bytesOf({ message }: Entry): number {
  return message.body.length + message.meta.length;
}

export class EntryStream {
  private readonly entries: Entry[] = [];
  private nextPosition = 1;

  /** Of bodies and envelopes. */
  get bytes(): number {
    return this.entries.reduce((total, entry) => total + bytesOf(entry), 0);
  }

  get oldEnd(): OldEnd {
    return { isTrimmed: this.nextPosition - 1 > this.entries.length, firstKeptMs: this.entries[0]?.readyAt };
  }

  get size(): number {
    return this.entries.length;
  }

  /** Position of the newest entry ever appended; 0 when there was none. */
  get lastPosition(): number {
    return this.nextPosition - 1;
  }

  append(message: StoredMessage, readyAt: number): void {
    this.entries.push({ position: this.nextPosition++, readyAt, message });
  }

  /** Up to `max` entries behind the cursor, oldest first. */
  after(cursor: number, max: number): Entry[] {
    const first = this.indexAfter(cursor);
    return this.entries.slice(first, first + Math.max(0, max));
  }

  countAfter(cursor: number): number {
    return this.entries.length - this.indexAfter(cursor);
  }

  /** Cursor of a group that is to see what became ready at `instant` or later. */
  cursorAt(instant: number): number {
    const first = this.entries.find((entry) => entry.readyAt >= instant);
    return first ? first.position - 1 : this.lastPosition;
  }

  /** Removes entries from the old end for as long as `removable` says so; returns how many. */
  trim(removable: (entry: Entry) => boolean): number {
    const kept = this.entries.findIndex((entry) => !removable(entry));
    return this.entries.splice(0, kept === -1 ? this.entries.length : kept).length;
  }

  private indexAfter(cursor: number): number {
    const oldest = this.entries[0];
    return oldest ? Math.min(this.entries.length, Math.max(0, cursor - oldest.position + 1)) : 0;
  }
}
