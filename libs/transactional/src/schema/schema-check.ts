// At start-up: the tables must be there, in the version this code writes. Found out then, not by the first order.
import { MqError } from '@millrace/core';
import type { OutboxDatabase } from '../database/outbox-database.js';
import { MIGRATION_NAME, NO_WAY_UP, SCHEMA_VERSION } from './schema-version.js';

export interface SchemaState {
  /** Names of tables that do not exist. */
  readonly missing: readonly string[];
  /** Version that the database names; undefined when it names none. */
  readonly version?: number;
}

export interface SchemaStore {
  state(database: OutboxDatabase): Promise<SchemaState>;
  /** Creates what is missing and leaves tables of another version alone; safe to run from many processes at once. */
  migrate(database: OutboxDatabase): Promise<void>;
}

/**
 * Throws MqError `MQ_MIGRATION_MISSING`, naming the migration, when tables are missing or of an older version, and
 * `MQ_SCHEMA_VERSION` when they are of a newer one.
 */
export async function checkSchema(database: OutboxDatabase, store: SchemaStore): Promise<void> {
  const { missing, version } = await store.state(database);
  if (missing.length > 0) throw migrationMissing(`table ${missing.join(', ')} does not exist`);
  if (version === undefined) throw migrationMissing('the tables have no version');
  if (version < SCHEMA_VERSION)
    throw new MqError(
      `outbox and inbox: the tables have version ${version}, this code needs ${SCHEMA_VERSION}; ${NO_WAY_UP}`,
      { code: 'MQ_MIGRATION_MISSING' },
    );
  if (version > SCHEMA_VERSION)
    throw new MqError(
      `outbox and inbox tables have version ${version}, this code knows only ${SCHEMA_VERSION}: update @millrace/transactional`,
      {
        code: 'MQ_SCHEMA_VERSION',
      },
    );
}

function migrationMissing(problem: string): MqError {
  return new MqError(`outbox and inbox: ${problem}. Run migration ${MIGRATION_NAME}, or set { migrate: true }`, {
    code: 'MQ_MIGRATION_MISSING',
  });
}
