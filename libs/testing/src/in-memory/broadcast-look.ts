// What a broadcast reader sees from a place on: positions grow by one and are never used again, so a place is its count.
import type { BroadcastEntry, BroadcastGap, BroadcastPage, BroadcastPosition, BroadcastSpec } from '@millrace/core';
import type { EntryStream } from './entry-stream.js';
import { storedCopy } from './send.js';

export function look(
  queues: readonly EntryStream[],
  from: readonly BroadcastPosition[],
  max: number,
): BroadcastPage & { gaps: BroadcastGap[] } {
  const entries: BroadcastEntry[] = [];
  const gaps: BroadcastGap[] = [];
  const positions = queues.map((stream, queue) => {
    let after = Number(from[queue]!.after);
    const missed = stream.lastPosition - stream.size - after;
    if (missed > 0) {
      gaps.push({ queue, missed });
      after += missed;
    }
    for (const { position, message, readyAt } of stream.after(after, max)) {
      entries.push({ queue, entryId: String(position), message: storedCopy(message), readyAt, before: place(after) });
      after = position;
    }
    return place(after);
  });
  return { entries, positions, gaps };
}

export function startOf(stream: EntryStream, startFrom: BroadcastSpec['startFrom']): BroadcastPosition {
  if (startFrom === 'last') return place(stream.lastPosition);
  if (startFrom === 'first') return place(stream.lastPosition - stream.size);
  return place(stream.cursorAt(startFrom.getTime()));
}

function place(position: number): BroadcastPosition {
  return { after: String(position), seen: position };
}
