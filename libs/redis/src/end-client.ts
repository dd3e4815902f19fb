// How a client is closed so that nothing of it stays open.
import type { Cluster, Redis } from 'ioredis';

/** Longest wait for a server to close its side; then the socket is left to the operating system. */
const CLOSE_WITHIN_MS = 1_000;

/** Resolves when the socket is closed: whoever awaits it leaves nothing open behind. */
export async function endClient(client: Redis | Cluster, how: 'quit' | 'disconnect'): Promise<void> {
  if (isEnded(client)) return;
  if (client.status === 'reconnecting') return endBetweenTries(client);
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  const cut = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
  // Lets what was written leave, unless nothing can be written any more.
  if (how === 'quit' && client.status === 'ready') client.quit().catch(() => client.disconnect());
  else client.disconnect();
  await Promise.race([ended, cut]);
  if (!isEnded(client)) client.disconnect();
}

/** ioredis then stops trying, and leaves the calls that wait for a connection waiting for ever. */
function endBetweenTries(client: Redis | Cluster): void {
  client.disconnect();
  (client as unknown as { flushQueue(error: Error): void }).flushQueue(new Error('Connection is closed.'));
}

export const isEnded = ({ status }: Redis | Cluster): boolean => status === 'end';
