// What an application does with the outbox: in one transaction a message and a row of business, and sometimes a
// change of mind at the very end.
import { crc32 } from 'node:zlib';
import type { SendOptions } from '@millrace/core';
import type { Outbox, OutboxDatabase } from '@millrace/transactional';
import { insertInto, type SqlKind } from '../database/tables.js';
import { passing } from './death.js';
import type { BusinessConfig } from './member-config.js';
import type { Payload } from './payload.js';
import type { Send } from './sending-member.js';

/** A transaction that was never meant to last. */
class RolledBack extends Error {
  readonly code = 'rolled back';
}

export interface BusinessParts {
  readonly outbox: Outbox;
  readonly database: OutboxDatabase;
  readonly kind: SqlKind;
}

export function businessSend({ outbox, database, kind }: BusinessParts, config: BusinessConfig): Send {
  const { keys, rollbackShare } = config;
  const insert = insertInto(kind, 'business', ['producer', 'n', 'key_no', 'message_id']);
  return async (topic, body, options) => {
    // Numbers of its own for each message, so that a run can be repeated.
    const chance = crc32(`${body.p}:${body.n}`);
    // A delayed message takes its place when it is due: it has no place in the order of commits.
    const isDelayed = options.delay !== undefined || options.deliverAt !== undefined;
    const key = isDelayed ? 0 : chance % (keys + 1);
    const complete: SendOptions = { ...options };
    if (key > 0) complete.orderingKey = `key ${key}`;
    if (body.n % 3 === 0) complete.idempotencyKey = `${body.p}/${body.n}`;
    await outbox.withTransaction(async (tx) => {
      const messageId = await write(outbox, topic, body, complete);
      passing('after-insert');
      await database.executor(tx).query(insert, [body.p, body.n, key, messageId]);
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
