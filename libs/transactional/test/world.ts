// One set of tables with its processes: each `process()` is an outbox, inbox and relay on connections of its own.
import { MqEvents } from '@millrace/core';
import { randomBytes } from 'node:crypto';
import type { TransactionalOptions } from '../src/module/transactional-options.js';
import { transactionalSpec } from '../src/module/transactional-options.js';
import { TransactionalRuntime } from '../src/module/transactional-runtime.js';
import type { ParkedMessage } from '../src/relay/relay-pass.js';
import type { Adapter, OpenDatabase } from './adapters.js';
import { FakeBroker } from './fake-broker.js';

type ProcessOptions = Omit<TransactionalOptions, 'database' | 'tablePrefix'>;

export class TestProcess extends TransactionalRuntime {
  constructor(
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

  /** Runs one statement on any connection. */
  sql<R = Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]> {
    return this.open.database.query<R>(text, values);
  }

  private async progress(): Promise<string> {
    const { prefix } = this;
    const [rows] = await this.sql(
      `select (select count(*) from ${prefix}outbox) as rows, (select sum(attempts) from ${prefix}outbox) as attempts,
         (select count(*) from ${prefix}outbox_cancel) as cancellations`,
    );
    return JSON.stringify([rows, this.broker.calls.length]);
  }
}

export class World {
  readonly prefix = `t${randomBytes(6).toString('hex')}_`;
  readonly broker = new FakeBroker();
  private readonly processes: TestProcess[] = [];

  constructor(private readonly adapter: Adapter) {}

  /** A process on connections of its own; all share the broker and the tables. */
  async process(options: ProcessOptions = {}, serverOptions?: string): Promise<TestProcess> {
    const process = new TestProcess(await this.adapter.open(serverOptions), this.prefix, this.broker, {
      migrate: true,
      ...options,
    });
    this.processes.push(process);
    await process.checkTables();
    return process;
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop()));
    const { prefix } = this;
    const tables = ['outbox', 'outbox_cancel', 'inbox', 'schema'].map((table) => prefix + table);
    await this.processes[0]?.sql(`drop table if exists ${tables.join(', ')}`);
    await Promise.all(this.processes.map((process) => process.open.close()));
  }
}
