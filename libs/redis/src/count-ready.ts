// How much went into a stream, and how much of it a group has still to read.
import type { RedisCommander } from 'ioredis';

const PAGE = 1_000;
/** Counting stops here: an operator needs "very many", not the server reading its whole memory. */
const MOST = 100_000;

/** Entries not yet delivered, and entries delivered but not settled. Zero for a stream or group that does not exist. */
export async function countReady(
  client: RedisCommander,
  stream: string,
  group: string,
): Promise<{ ready: number; pending: number }> {
  const groups = (await client.xinfo('GROUPS', stream).catch(missing)) as unknown[][];
  const info = groups.map(pairs).find((row) => row.get('name') === group);
  if (!info) return { ready: 0, pending: 0 };
  const pending = Number(info.get('pending'));
  const lag = info.get('lag');
  if (typeof lag === 'number') return { ready: lag, pending };
  // The server cannot tell after deletions, or for a group that starts at an instant: count.
  let ready = 0;
  for (let after = String(info.get('last-delivered-id')); ready < MOST;) {
    const page = await client.xrange(stream, `(${after}`, '+', 'COUNT', PAGE);
    ready += page.length;
    if (page.length < PAGE) break;
    after = page.at(-1)![0];
  }
  return { ready, pending };
}

/** Entries ever added, trimmed ones included (Redis 7.0). Zero for a stream that does not exist. */
export async function countAdded(client: RedisCommander, stream: string): Promise<number> {
  const info = pairs((await client.xinfo('STREAM', stream).catch(missing)) as unknown[]);
  return Number(info.get('entries-added') ?? 0);
}

function pairs(row: unknown[]): Map<string, unknown> {
  return new Map(Array.from({ length: row.length / 2 }, (_, index) => [String(row[2 * index]), row[2 * index + 1]]));
}

function missing(error: Error): never[] {
  if (/no such key/.test(error.message)) return [];
  throw error;
}
