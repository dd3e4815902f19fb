// Empty stores in virtual time: in memory, and on a real server.
import { connectInMemory, connectVirtualRedis, InMemoryStore, ManualClock } from '@millrace/testing';
import type { Store } from './world.js';

export function inMemory(): Store {
  const clock = new ManualClock();
  const store = new InMemoryStore({ clock });
  return { clock, ports: () => connectInMemory({ store, clock }), close: async () => undefined };
}

export function onRedis(connection: string): Store {
  const first = connectVirtualRedis({ connection });
  const { clock, namespace } = first;
  let isFirstTaken = false;
  return {
    clock,
    ports: () => {
      if (isFirstTaken) return connectVirtualRedis({ connection, clock, namespace });
      isFirstTaken = true;
      return first;
    },
    close: () => first.removeAll(),
  };
}
