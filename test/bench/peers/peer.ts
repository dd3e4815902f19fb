// A peer with a server of its own: missing, it is skipped; present, its server runs only while it is its turn.
import { ServerUnavailableError } from '@millrace/testing/servers';
import { PeerUnavailableError, type Bench, type Contender } from '../scenario.js';
import type { PeerServer } from '../servers/peer-server.js';
import type { PeerServerName } from '../servers/peer-servers.js';

export async function onServer(
  bench: Bench,
  name: string,
  server: PeerServerName,
  open: (server: PeerServer) => Promise<Omit<Contender, 'name'>>,
): Promise<Contender> {
  try {
    const running = await bench.servers.get(server);
    const contender = await open(running);
    running.pause();
    return {
      settings: running.settings,
      ...contender,
      name,
      async prepare() {
        running.resume();
        await contender.prepare?.();
      },
      rest: async () => running.pause(),
      async close() {
        running.resume();
        await contender.close();
        running.pause();
      },
    };
  } catch (error) {
    throw new PeerUnavailableError(name, reasonOf(error));
  }
}

/** One line, the most telling: what stood behind a list of ways to provide a server, rather than the list. */
function reasonOf(error: unknown): string {
  const inner = error instanceof ServerUnavailableError && error.cause !== undefined ? error.cause : error;
  const text = inner instanceof Error ? inner.message : String(inner);
  return text.trim().split('\n')[0]!;
}
