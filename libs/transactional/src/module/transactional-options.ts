// Options of TransactionalModule: documentation, defaults and validation in one place.
import { checkOptions, InvalidOptionError, toMs, type Duration } from '@millrace/core';
import { tableNames, type TableNames } from '../database/table-names.js';
import type { OutboxDatabase } from '../database/outbox-database.js';
import { relaySpec, type RelayOptions, type RelaySpec } from '../relay/relay-options.js';

/** What `TransactionalModule.forRoot` takes, and what the factory of `forRootAsync` returns. */
export interface TransactionalOptions {
  /**
   * `typeOrmDatabase(dataSource)`, `pgDatabase(pool)`, `mysql2Database(pool)`, `knexDatabase(knex)` or
   * `drizzleDatabase(db)`.
   */
  database: OutboxDatabase;
  /**
   * Whether this process relays, and how. Any number of processes may; one at least must. With `false` rows are written
   * here and relayed by others. @default true
   */
  relay?: boolean | RelayOptions;
  /** First part of all table names. @default 'mq_' */
  tablePrefix?: string;
  /**
   * Create missing tables at start-up. Without it a missing table ends the start, naming the migration. @default false
   */
  migrate?: boolean;
  /**
   * Whether relays are notified of commits (PostgreSQL). After `withTransaction` and `@UseInbox()` a process without a
   * relay notifies behind the commit, which costs the transaction nothing. In a transaction that we do not see the end of
   * (`{ tx }`, `@Transactional()`) the notification is part of it, and PostgreSQL commits transactions with one one after
   * the other: `false` spares that, and leaves rows of other processes to the poll interval. @default true
   */
  notify?: boolean;
  /**
   * How long the inbox remembers what was handled. Longer than a message can come again: dead letters are kept for 14
   * days and can be redriven until then. @default '15d'
   */
  inboxRetention?: Duration;
  /**
   * Name of the `ClsPluginTransactional` connection (package `@nestjs-cls/transactional`) that begins transactions on
   * this database: its open transactions are joined, and those of `withTransaction` and of the inbox are begun there.
   * `false` leaves them alone; needed where the unnamed one is of another database. @default the unnamed one, if there is one
   */
  clsConnection?: string | false;
}

/** `TransactionalOptions` checked and completed. */
export interface TransactionalSpec {
  readonly database: OutboxDatabase;
  /** Also with `relays: false`: how long sent rows are kept matters to the cleaner. */
  readonly relay: RelaySpec;
  readonly relays: boolean;
  readonly names: TableNames;
  readonly migrate: boolean;
  readonly notify: boolean;
  readonly inboxRetentionMs: number;
  /** Undefined is the unnamed one, which need not exist. */
  readonly clsConnection: string | false | undefined;
}

export const TRANSACTIONAL_DEFAULTS = {
  relay: true,
  tablePrefix: 'mq_',
  migrate: false,
  notify: true,
  inboxRetention: '15d',
} as const satisfies Partial<TransactionalOptions>;

const DIALECTS = new Set(['postgresql', 'mysql']);

/** Throws InvalidOptionError. */
export function transactionalSpec(options: TransactionalOptions): TransactionalSpec {
  checkOptions('transactional', options, ['database', 'clsConnection', ...Object.keys(TRANSACTIONAL_DEFAULTS)]);
  const { database, tablePrefix } = options;
  const { relay, migrate, notify, inboxRetention } = { ...TRANSACTIONAL_DEFAULTS, ...withoutUndefined(options) };
  if (typeof database?.transaction !== 'function' || !DIALECTS.has(database.dialect))
    throw new InvalidOptionError(
      'transactional.database',
      typeof database,
      'must be made by an adapter: typeOrmDatabase(…), pgDatabase(…), mysql2Database(…), knexDatabase(…), drizzleDatabase(…)',
    );
  for (const [name, value] of Object.entries({ migrate, notify }))
    if (typeof value !== 'boolean')
      throw new InvalidOptionError(`transactional.${name}`, value, 'must be true or false');
  const { clsConnection } = options;
  if (clsConnection !== undefined && clsConnection !== false && (typeof clsConnection !== 'string' || !clsConnection))
    throw new InvalidOptionError('transactional.clsConnection', clsConnection, 'must be a name or false');
  return {
    database,
    relay: relaySpec(typeof relay === 'boolean' ? {} : relay),
    relays: relay !== false,
    names: tableNames(tablePrefix),
    migrate,
    notify,
    clsConnection,
    inboxRetentionMs: toMs('transactional.inboxRetention', inboxRetention),
  };
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
