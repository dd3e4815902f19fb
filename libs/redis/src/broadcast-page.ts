// What one look at a stream means for a reader: the entries, the place behind them, and whether any went unseen. Pure.
import type { BroadcastEntry, BroadcastGap, BroadcastPosition } from '@millrace/core';
import { decodeEntry } from './entry-codec.js';
import type { StreamLook } from './stream-look.js';

export interface QueuePage {
  readonly entries: BroadcastEntry[];
  readonly position: BroadcastPosition;
  readonly gap?: BroadcastGap;
}

const NO_ID = '0-0';

/**
 * The count of a place (`seen`) is what makes a gap exact: of the entries up to the place as many can be gone without
 * any having been missed. Reaching the end of the stream sets the count right, whatever happened to the store before.
 */
export function readQueue(queue: number, from: BroadcastPosition, look: StreamLook): QueuePage {
  if (look.last === NO_ID) return { entries: [], position: from };
  // The store knows less than it has told us (a failover lost the tail and the clock is behind): what is new now may
  // have ids that we take for old ones, so the place goes back to what the store has.
  if (isBefore(look.last, from.after))
    return { entries: [], position: { after: look.last, seen: look.added }, gap: { queue } };
  const { seen, missed } = countedAt(from, look);
  let place: BroadcastPosition = { after: from.after, seen };
  const entries = look.entries.map((raw): BroadcastEntry => {
    const { entryId, message, readyAt } = decodeEntry(raw);
    const entry = { queue, entryId, message, readyAt, before: place };
    place = { after: entryId, seen: place.seen === undefined ? undefined : place.seen + 1 };
    return entry;
  });
  // Nothing is left behind the place: the count is known.
  if (place.after === look.last || entries.length === 0) place = { after: look.last, seen: look.added };
  return { entries, position: place, gap: missed === 0 ? undefined : { queue, missed } };
}

/** The count at the place, and how many entries behind it are gone: undefined when they cannot be counted. */
function countedAt({ after, seen }: BroadcastPosition, look: StreamLook): { seen?: number; missed?: number } {
  const cutOff = look.first === NO_ID || isBefore(after, look.first);
  // Flushed, and filled anew: the old count says nothing any more.
  if (seen !== undefined && look.added < seen) return { seen: look.removed, missed: 0 };
  if (!cutOff) return { seen, missed: 0 };
  if (seen === undefined) return { seen: look.removed };
  const missed = Math.max(0, look.removed - seen);
  return { seen: seen + missed, missed };
}

function isBefore(x: string, y: string): boolean {
  const [a, b] = x.split('-') as [string, string];
  const [c, d] = y.split('-') as [string, string];
  return a === c ? BigInt(b) < BigInt(d) : Number(a) < Number(c);
}
