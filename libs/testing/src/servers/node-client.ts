// Short conversations of a launcher with one of its servers: a connection is opened for each and leaves nothing behind.
import { Redis } from 'ioredis';

const NO_ANSWER_MS = 5_000;

/** Runs `use` with a client of the server on this loopback port. Fails when the server does not answer. */
export async function talkTo<T>(port: number, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    protocol: 2,
    retryStrategy: null,
    commandTimeout: NO_ANSWER_MS,
    connectionName: 'millrace-launcher',
  });
  client.on('error', () => undefined); // also rejects the call, which is where it is seen
  try {
    return await use(client);
  } finally {
    if (client.status !== 'end') client.disconnect();
  }
}

/** Looks every few ms until `look` says yes; errors count as no. The reason is for the message. */
export async function settled(what: string, look: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      if (await look()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > giveUpAt) throw new Error(`not seen within ${withinMs} ms: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

const LOOK_AGAIN_MS = 25;
