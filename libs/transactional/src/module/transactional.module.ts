// What applications import.
import { Module } from '@nestjs/common';
import { ConfigurableModuleClass, type ASYNC_OPTIONS_TYPE } from './transactional.module-definition.js';

/** What `TransactionalModule.forRootAsync` takes. */
export type TransactionalModuleAsyncOptions = typeof ASYNC_OPTIONS_TYPE;

/**
 * Outbox and inbox on the application's SQL database; every module can inject `Outbox` and `OutboxAdmin`. Import it
 * after `MqModule` and the module of the database: what is imported last is stopped first.
 *
 * The start of the application fails with MqError `MQ_MIGRATION_MISSING` when the tables are missing: run the migration
 * (`outboxMigration()`, or the TypeORM class) or set `migrate: true`.
 */
@Module({})
export class TransactionalModule extends ConfigurableModuleClass {}
