// What the tables must be.

/** What `mq_schema` must say for the component `transactional`. */
export const SCHEMA_VERSION = 1;
/** How errors name the migration that is missing. */
export const MIGRATION_NAME =
  '0001 transactional (outboxMigration() or migrations/0001-transactional.<dialect>.sql of @millrace/transactional)';
