// Deaths of a relay, hung on its two neighbours: the broker it sends to and the database it marks in.
import type { Broker } from '@millrace/core';
import type { OutboxDatabase } from '@millrace/transactional';
import { passing } from './death.js';

/** The database to give to the relay; the broker is changed in place. */
export function mortalRelay(broker: Broker, database: OutboxDatabase): OutboxDatabase {
  /** The broker has answered, and the transaction that notes so has not ended. */
  let isUnmarked = false;
  const send = broker.send.bind(broker);
  broker.send = async (messages) => {
    passing('before-send');
    const results = await send(messages);
    passing('after-send');
    isUnmarked = true;
    return results;
  };
  const mortal: Pick<OutboxDatabase, 'executor' | 'transaction'> = {
    executor(tx) {
      const sql = database.executor(tx);
      return {
        async query(text, values) {
          // Whatever is asked after the broker's answer is the mark.
          const isMark = isUnmarked;
          if (isMark) passing('before-mark');
          const rows = await sql.query<never>(text, values);
          if (isMark) passing('after-mark');
          return rows;
        },
      };
    },
    async transaction(fn) {
      const result = await database.transaction(fn);
      if (isUnmarked) passing('after-mark-commit');
      isUnmarked = false;
      return result;
    },
  };
  return Object.assign(Object.create(database) as OutboxDatabase, mortal);
}
