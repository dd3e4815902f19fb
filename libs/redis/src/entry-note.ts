// What is noted on an entry that was taken over, or read in ordered mode: it outlives its consumer.
import type { NotedDelivery } from './delivery-names.js';

export interface EntryNote {
  /** Crashes so far. */
  readonly noted: number;
  /** Of the latest hand-over. */
  readonly fence: number;
}

/**
 * Note of one entry: `<crashes><u, or s once its handler has started><epoch>@<fence>`.
 * Read by reclaim.lua and read-ordered.lua too.
 */
export function startedNote({ noted = 0, epoch, fence }: NotedDelivery): string {
  return `${noted}s${epoch ?? ''}@${fence}`;
}

export function readNote(note: string): EntryNote {
  const at = note.indexOf('@');
  return { noted: Number.parseInt(note, 10), fence: at < 0 ? 0 : Number(note.slice(at + 1)) };
}
