// The same tables as a TypeORM migration.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { outboxMigration, outboxMigrationDown } from './migration.js';
import { mysqlMigration, mysqlMigrationDown } from './mysql-migration.js';

/** A migration class for another table prefix: `migrations: [transactionalMigration('shop_')]`. */
export function transactionalMigration(prefix?: string): new () => MigrationInterface {
  // Made first, so that a bad prefix fails here and not in the middle of a migration run.
  const postgres = { up: [outboxMigration(prefix)], down: [outboxMigrationDown(prefix)] };
  const mysql = { up: mysqlMigration(prefix), down: mysqlMigrationDown(prefix) };
  const run = async (runner: QueryRunner, way: 'up' | 'down'): Promise<void> => {
    const { type } = runner.connection.options;
    const statements = type === 'mysql' || type === 'mariadb' ? mysql : postgres;
    for (const statement of statements[way]) await runner.query(statement);
  };
  return class MillraceTransactional1763683200000 implements MigrationInterface {
    // TypeORM stores the migration under its name; prefixes must not take each other's.
    readonly name = `MillraceTransactional${prefix ?? ''}1763683200000`;

    async up(runner: QueryRunner): Promise<void> {
      await run(runner, 'up');
    }

    async down(runner: QueryRunner): Promise<void> {
      await run(runner, 'down');
    }
  };
}

/** Creates the tables of outbox and inbox with the default prefix; idempotent, beside `migrate: true` too. */
export const MillraceTransactional1763683200000 = transactionalMigration();
