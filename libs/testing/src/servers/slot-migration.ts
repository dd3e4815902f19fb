// Moves a slot between nodes the way every version of Redis can: key by key, with both nodes serving meanwhile.
import type { RedisClusterNode } from './cluster-nodes.js';
import { talkTo } from './node-client.js';

const MIGRATE_TIMEOUT_MS = 5_000;

export interface SlotMigration {
  /** Keys per MIGRATE. Those moved and those left answer differently while it goes on. @default 10 */
  keysPerStep?: number;
  /** Awaited after each step with the number of keys moved so far, while the slot is neither here nor there. */
  between?: (moved: number) => Promise<void>;
}

/** @returns how many keys were moved */
export async function migrateSlot(
  nodes: readonly RedisClusterNode[],
  from: RedisClusterNode,
  slot: number,
  to: RedisClusterNode,
  { keysPerStep = 10, between }: SlotMigration = {},
): Promise<number> {
  if (from === to) return 0;
  const set = (node: RedisClusterNode, ...words: string[]): Promise<unknown> =>
    talkTo(node.port, (client) => client.call('CLUSTER', 'SETSLOT', slot, ...words));
  await set(to, 'IMPORTING', from.id);
  await set(from, 'MIGRATING', to.id);
  let moved = 0;
  for (;;) {
    const keys = await talkTo(from.port, (client) => client.call('CLUSTER', 'GETKEYSINSLOT', slot, keysPerStep));
    if ((keys as string[]).length === 0) break;
    const target = ['127.0.0.1', to.port, '', 0, MIGRATE_TIMEOUT_MS, 'KEYS', ...(keys as string[])];
    await talkTo(from.port, (client) => client.call('MIGRATE', ...target));
    moved += (keys as string[]).length;
    await between?.(moved);
  }
  // The new holder first: the other way round a client could be sent to and fro.
  for (const node of [to, from, ...nodes.filter((other) => other !== to && other !== from)]) {
    // A replica follows its master and refuses the command.
    await set(node, 'NODE', to.id).catch((error: Error) => {
      if (!error.message.includes('replica') && !error.message.includes('master')) throw error;
    });
  }
  return moved;
}
