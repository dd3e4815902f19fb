// What is noted on an entry that was taken over, or read in ordered mode: it outlives its consumer.
import type { NotedDelivery } from './delivery-names.js';

export interface EntryNote {
  /** Crashes so far. */
  readonly noted: number;
  /** Of the latest hand-over. */
  readonly fence: number;
  /** Told by reclaim.lua, not stored. */
  readonly isReplayed?: boolean;
}

/**
 * Note of one entry: `<crashes><u, or s once its handler has started><epoch>@<fence>`; `r` where a replay put it back.
 * Read by reclaim.lua and read-ordered.lua too.
 */
export function startedNote({ noted = 0, epoch, fence }: NotedDelivery): string {
  return `${noted}s${epoch ?? ''}@${fence}`;
}

export function readNote(note: string): EntryNote {
  const at = note.indexOf('@');
  const isReplayed = note.charAt(at - 1) === 'r';
  return { noted: Number.parseInt(note, 10), fence: at < 0 ? 0 : Number(note.slice(at + 1)), isReplayed };
}
