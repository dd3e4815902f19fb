// SQL of the inbox, on MariaDB 10.6 and MySQL 8.0 and later.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import type { InboxAnswer, InboxRecord, InboxStore } from '../inbox/inbox-store.js';
import { bytes } from './bytes.js';

export class MysqlInboxStore implements InboxStore {
  constructor(private readonly names: TableNames) {}

  /**
   * The named lock is the gate, the primary key the proof. The lock belongs to the connection, so `release` gives it
   * back just before the transaction ends; whoever passes the gate in this moment waits for that end and then finds
   * the record.
   */
  async record(sql: SqlExecutor, record: InboxRecord): Promise<InboxAnswer> {
    const { group, topic, key, messageId } = record;
    await sql.query(
      `insert ignore into ${this.names.inbox} (consumer_group, topic, message_key, message_id)
       select ?, ?, ?, ? from dual where get_lock(${LOCK_NAME}, 0) = 1`,
      [bytes(group), bytes(topic), bytes(key), bytes(messageId), this.lockName(record)],
    );
    const [row] = await sql.query<{ recorded: string | number; free: string | number }>(
      `select row_count() as recorded, is_used_lock(${LOCK_NAME}) <=> connection_id() as free`,
      [this.lockName(record)],
    );
    if (Number(row!.free) === 0) return 'busy';
    return Number(row!.recorded) > 0 ? 'new' : 'duplicate';
  }

  async release(sql: SqlExecutor, record: InboxRecord): Promise<void> {
    await sql.query(`do release_lock(${LOCK_NAME})`, [this.lockName(record)]);
  }

  private lockName({ group, topic, key }: InboxRecord): Buffer {
    return bytes(`${this.names.inbox}\n${group}\n${topic}\n${key}`);
  }
}

/** Named locks are the whole server's, and their names hold 64 characters. */
const LOCK_NAME = `sha2(concat(database(), '\\n', ?), 256)`;
