// One set of tables with its processes: each `process()` is an outbox, inbox and relay on connections of its own.
import { MqEvents } from '@millrace/core';
import { randomBytes } from 'node:crypto';
import type { OutboxDatabase } from '../src/database/outbox-database.js';
import type { TransactionalOptions } from '../src/module/transactional-options.js';
import { transactionalSpec } from '../src/module/transactional-options.js';
import { TransactionalRuntime } from '../src/module/transactional-runtime.js';
import type { ParkedMessage } from '../src/relay/relay-pass.js';
import type { Adapter, OpenDatabase } from './adapters/adapter.js';
import type { TestServer } from './adapters/test-server.js';
import { FakeBroker } from './fake-broker.js';

type ProcessOptions = Omit<TransactionalOptions, 'database' | 'tablePrefix'>;

export class TestProcess extends TransactionalRuntime {
  constructor(
    readonly server: TestServer,
    readonly open: OpenDatabase,
    readonly prefix: string,
    readonly broker: FakeBroker,
    options: ProcessOptions,
    readonly events = new MqEvents(),
    readonly parked: ParkedMessage[] = [],
  ) {
    const spec = transactionalSpec({
      relay: { pollInterval: '1h', backoff: 0 },
      ...options,
      database: open.database,
      tablePrefix: prefix,
    });
    super({ spec, sender: broker, events, onParked: (messages) => void parked.push(...messages) });
  }

  /** Relays until a pass changes nothing any more; rejects with the error of a pass. */
  async drain(): Promise<void> {
    for (let before: string | undefined, now = await this.progress(); now !== before; now = await this.progress()) {
      before = now;
      await this.relay.runOnce();
      const { lastError } = this.relay.health();
      if (lastError !== undefined) throw lastError;
    }
  }

  /** Runs one statement with `$1`, `$2` … on any connection. Names and keys come as text from every server. */
  async sql<R = Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]> {
    const rows = await this.open.database.query(...this.server.statement(text, values));
    if (this.server.dialect === 'postgresql') return rows as R[];
    return rows.map((row) => {
      const texts = Object.entries(row).map(([name, value]) => [
        name,
        Buffer.isBuffer(value) ? value.toString() : value,
      ]);
      return Object.fromEntries(texts) as R;
    });
  }

  /** A statement of the user's in the transaction, with `$1`, `$2` … */
  run(tx: unknown, text: string, values?: unknown[]): Promise<unknown> {
    return this.open.run(tx, ...this.server.statement(text, values));
  }

  private async progress(): Promise<string> {
    const { prefix } = this;
    const [rows] = await this.sql(
      `select (select count(*) from ${prefix}outbox) as stored, (select sum(attempts) from ${prefix}outbox) as attempts,
         (select count(*) from ${prefix}outbox_cancel) as cancellations`,
    );
    return JSON.stringify([rows, this.broker.calls.length]);
  }
}

/** Prefixes of tables that exist and are empty: making tables takes longer than most tests. */
const SPARE: Record<string, string[]> = { postgresql: [], mysql: [] };

export class World {
  readonly prefix: string;
  readonly broker = new FakeBroker();
  private readonly processes: TestProcess[] = [];

  /** @param freshTables that this world makes itself, and drops in the end */
  constructor(
    private readonly adapter: Adapter,
    private readonly freshTables = false,
  ) {
    const spare = freshTables ? undefined : SPARE[adapter.server.dialect]!.pop();
    this.prefix = spare ?? `t${randomBytes(6).toString('hex')}_`;
  }

  /** A process on connections of its own; all share the broker and the tables. */
  async process(options: ProcessOptions = {}, serverOptions?: string): Promise<TestProcess> {
    const { server } = this.adapter;
    const process = new TestProcess(server, await this.adapter.open(serverOptions), this.prefix, this.broker, {
      migrate: true,
      ...options,
    });
    this.processes.push(process);
    await process.checkTables();
    return process;
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop()));
    const [process] = this.processes;
    const { dialect } = this.adapter.server;
    if (process && this.freshTables) await dropTables(process.open.database, this.prefix);
    if (process && !this.freshTables) {
      for (const table of ['outbox', 'outbox_cancel', 'inbox']) await process.sql(`delete from ${this.prefix}${table}`);
      SPARE[dialect]!.push(this.prefix);
    }
    await Promise.all(this.processes.map(({ open }) => open.close()));
  }
}

/** Drops the tables of all worlds that have ended. */
export async function dropSpareTables(adapter: Adapter): Promise<void> {
  const open = await adapter.open();
  for (const prefix of SPARE[adapter.server.dialect]!.splice(0)) await dropTables(open.database, prefix);
  await open.close();
}

async function dropTables(database: OutboxDatabase, prefix: string): Promise<void> {
  const tables = ['outbox', 'outbox_cancel', 'inbox', 'schema', 'outbox_lock'].map((table) => prefix + table);
  await database.query(`drop table if exists ${tables.join(', ')}`);
}
