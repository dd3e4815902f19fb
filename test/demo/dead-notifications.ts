// The operator: looks at the dead letters of the notifications, has the addresses corrected, and sends them again.
import type { BrokerAdmin } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import type { ShopClient } from './shop-client.js';
import type { Surroundings } from './surroundings.js';

const TOPIC = 'orders';
const GROUP = 'notifications';
const PAGE = 200;

export interface DeadNotification {
  messageId: string;
  buyerId: string;
  attempts: number;
}

export function readDeadNotifications(surroundings: Surroundings): Promise<DeadNotification[]> {
  return withAdmin(surroundings, async (admin) => {
    const found: DeadNotification[] = [];
    for (;;) {
      const page = await admin.deadLetters(TOPIC, GROUP, { offset: found.length, limit: PAGE });
      found.push(
        ...page.map(({ messageId, message, state }) => ({
          messageId,
          buyerId: message.orderingKey,
          attempts: state.failures.length + (state.failuresLeftOut ?? 0),
        })),
      );
      if (page.length < PAGE) return found;
    }
  });
}

/** Returns how many were redriven. */
export async function correctAndRedrive(
  surroundings: Surroundings,
  client: ShopClient,
  dead: DeadNotification[],
): Promise<number> {
  if (dead.length === 0) return 0;
  for (const { buyerId } of dead) {
    const { status } = await client.send('PUT', `/buyers/${buyerId}/address`, {
      address: `${buyerId}@corrected.example`,
    });
    if (status !== 200) throw new Error(`the address of ${buyerId} could not be corrected: ${status}`);
  }
  const messageIds = dead.map(({ messageId }) => messageId);
  return withAdmin(surroundings, async (admin) => (await admin.redrive(TOPIC, GROUP, { messageIds })).length);
}

async function withAdmin<T>(
  { redisUrl, namespace }: Surroundings,
  use: (admin: BrokerAdmin) => Promise<T>,
): Promise<T> {
  const { admin, broker } = connectRedis({ connection: redisUrl, namespace });
  try {
    return await use(admin);
  } finally {
    await broker.close();
  }
}
