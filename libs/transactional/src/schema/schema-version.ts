// What the tables must be.

/** What `mq_schema` must say for the component `transactional`. Version 1 was never released. */
export const SCHEMA_VERSION = 2;
/** How errors name the migration that is missing. */
export const MIGRATION_NAME =
  '0001 transactional (outboxMigration() or migrations/0001-transactional.<dialect>.sql of @millrace/transactional)';
/** Part of SQL text: no apostrophe, no percent sign. */
export const NO_WAY_UP =
  'that version was never released and no migration leads on from it: when the outbox is empty, drop the tables (outboxMigrationDown()) and run migration 0001 transactional again';
