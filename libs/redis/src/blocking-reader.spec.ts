// A blocked read must end, whatever becomes of its promise: a loop that waits for it for ever hears of nothing any more.
import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { BlockingReader } from './blocking-reader.js';
import type { Connections } from './connections.js';
import { Deadlines } from './deadlines.js';

const SILENCE_MS = 20;

/** Connections whose clients forget every call, as ioredis does when a socket breaks twice before it is sent again. */
function forgetful(status: Redis['status']): {
  connections: Connections;
  opened: Redis[];
  dropped: Redis[];
  /** Resolves with the first call. */
  called: Promise<void>;
} {
  let call!: () => void;
  const called = new Promise<void>((resolve) => (call = resolve));
  const opened: Redis[] = [];
  const dropped: Redis[] = [];
  const connections = {
    settings: { silenceMs: SILENCE_MS },
    readDeadlines: Deadlines.ofReads(SILENCE_MS),
    blocking: async () => {
      const client = {
        status,
        callBuffer: () => {
          call();
          return new Promise(() => undefined);
        },
      } as unknown as Redis;
      opened.push(client);
      return client;
    },
    drop: async (client: Redis) => void dropped.push(client),
  };
  return { connections: connections as unknown as Connections, opened, dropped, called };
}

describe('a blocked read whose reply never comes', () => {
  it('fails after two silences and leaves its client: the next read opens another one', async () => {
    const { connections, opened, dropped } = forgetful('ready');
    const reader = new BlockingReader(connections, 'key');
    await expect(reader.run(['XREAD'])).rejects.toThrow('never answered');
    expect(dropped).toEqual(opened);
    await expect(reader.run(['XREAD'])).rejects.toThrow('never answered');
    expect(opened).toHaveLength(2);
  });

  it('ends empty when it is told to stop and its client cannot be reached', async () => {
    const { connections, opened, dropped, called } = forgetful('reconnecting');
    const reader = new BlockingReader(connections, 'key');
    const stop = new AbortController();
    const read = reader.run(['XREAD'], stop.signal);
    await called;
    stop.abort();
    await expect(read).resolves.toBeNull();
    expect(dropped).toEqual(opened);
  });
});
