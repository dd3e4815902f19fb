// The same tables as a TypeORM migration.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { outboxMigration, outboxMigrationDown } from './migration.js';

/** A migration class for another table prefix: `migrations: [transactionalMigration('shop_')]`. */
export function transactionalMigration(prefix?: string): new () => MigrationInterface {
  // Made first, so that a bad prefix fails here and not in the middle of a migration run.
  const [up, down] = [outboxMigration(prefix), outboxMigrationDown(prefix)];
  return class MillraceTransactional1763683200000 implements MigrationInterface {
    // TypeORM stores the migration under its name; prefixes must not take each other's.
    readonly name = `MillraceTransactional${prefix ?? ''}1763683200000`;

    async up(runner: QueryRunner): Promise<void> {
      await runner.query(up);
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(down);
    }
  };
}

/** Creates the tables of outbox and inbox with the default prefix; idempotent, beside `migrate: true` too. */
export const MillraceTransactional1763683200000 = transactionalMigration();
