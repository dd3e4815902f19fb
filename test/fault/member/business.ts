// What an application does with the outbox: in one transaction a message and a row of business, and sometimes a
// change of mind at the very end.
import { crc32 } from 'node:zlib';
import type { SendOptions } from '@millrace/core';
import type { Outbox } from '@millrace/transactional';
import type { ClientBase } from 'pg';
import { passing } from './death.js';
import type { BusinessConfig } from './member-config.js';
import type { Payload } from './payload.js';
import type { Send } from './sending-member.js';

/**
 * The truth of a run: a message must arrive if and only if its row is here. `at` is drawn after the message was written,
 * so inside a key it is the order of the commits if the outbox keeps its promise that the second writer waits.
 */
export const BUSINESS = `create table business
  (at bigint generated always as identity, producer int, n int, key int, message_id text)`;

/** A transaction that was never meant to last. */
class RolledBack extends Error {
  readonly code = 'rolled back';
}

export function businessSend(outbox: Outbox, { keys, rollbackShare }: BusinessConfig): Send {
  return async (topic, body, options) => {
    // Numbers of its own for each message, so that a run can be repeated.
    const chance = crc32(`${body.p}:${body.n}`);
    // A delayed message takes its place when it is due: it has no place in the order of commits.
    const isDelayed = options.delay !== undefined || options.deliverAt !== undefined;
    const key = isDelayed ? 0 : chance % (keys + 1);
    const complete: SendOptions = { ...options };
    if (key > 0) complete.orderingKey = `key ${key}`;
    if (body.n % 3 === 0) complete.idempotencyKey = `${body.p}/${body.n}`;
    await outbox.withTransaction(async (tx: ClientBase) => {
      const messageId = await write(outbox, topic, body, complete);
      passing('after-insert');
      await tx.query('insert into business (producer, n, key, message_id) values ($1, $2, $3, $4)', [
        body.p,
        body.n,
        key,
        messageId,
      ]);
      passing('before-commit');
      if ((chance % 1000) / 1000 < rollbackShare) throw new RolledBack();
    });
    passing('after-commit');
    return undefined;
  };
}

/** Both ways to write, in turn. */
async function write(outbox: Outbox, topic: string, body: Payload, options: SendOptions): Promise<string> {
  if (body.n % 2 === 0) return (await outbox.send(topic, body, options)).messageId;
  const [receipt] = await outbox.sendAll([{ destination: topic, body, options }]);
  return receipt!.messageId;
}
