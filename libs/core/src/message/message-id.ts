// Message ids are UUIDv7 (RFC 9562): 48 bits of Unix ms, then a 12-bit counter that keeps ids of one process in
// order inside a millisecond, then 62 random bits. Never taken from a table sequence: a restored database must not
// make new messages look like old ones.
import { randomFillSync } from 'node:crypto';

const pool = Buffer.allocUnsafe(8 * 512);
let offset = pool.length;
let lastMs = 0;
let counter = 0;
/** The time part of the ids of `lastMs`, with its dashes: the same for every id of a millisecond. */
let timePart = '';

export function newMessageId(now: number = Date.now()): string {
  if (now > lastMs) beginMs(now);
  // The counter is used up: borrow the next millisecond. Also when the clock went back: ids never go down.
  else if (++counter > 0xfff) beginMs(lastMs + 1);
  if (offset === pool.length) {
    randomFillSync(pool);
    offset = 0;
  }
  const high = (pool.readUInt16BE(offset) & 0x3fff) | 0x8000;
  const random = pool.toString('hex', offset + 2, offset + 8);
  offset += 8;
  return `${timePart}-${(0x7000 | counter).toString(16)}-${high.toString(16)}-${random}`;
}

function beginMs(ms: number): void {
  lastMs = ms;
  counter = 0;
  const hex = ms.toString(16).padStart(12, '0');
  timePart = `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
