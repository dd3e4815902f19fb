// The ambient transaction: what outbox.send joins when the caller does not pass one.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AmbientTransactions } from './cls-transactions.js';
import type { OutboxDatabase, SqlExecutor } from './outbox-database.js';
import { noTransactionError } from './transaction-errors.js';

interface Ambient<Tx> {
  readonly tx: Tx;
  readonly sql: SqlExecutor;
  /**
   * False once the transaction has ended. A floating promise of the user's function may still hold this context, and
   * its connection may by then be running someone else's transaction.
   */
  open: boolean;
  /** Whether something for the relay was written. */
  wrote: boolean;
}

export class TransactionScope<Tx> {
  private readonly storage = new AsyncLocalStorage<Ambient<Tx>>();

  /**
   * @param afterCommit told of each committed transaction of ours that wrote something for the relay
   * @param application transactions that the application keeps: joined where one is open, and ours are begun there
   */
  constructor(
    private readonly database: OutboxDatabase<Tx>,
    private readonly afterCommit: () => void = () => {},
    private readonly application?: AmbientTransactions<Tx>,
  ) {}

  /** Runs `fn` in the ambient transaction, or in a new one, which is then ambient. Only the outermost commits. */
  join<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
    const applications = this.application?.current();
    if (applications !== undefined) return fn(applications);
    const ambient = this.storage.getStore();
    return ambient?.open ? fn(ambient.tx) : this.begin(fn);
  }

  /** Runs `fn` in a new transaction, whatever is ambient. */
  async begin<T>(fn: (tx: Tx, sql: SqlExecutor) => Promise<T>): Promise<T> {
    let committing: Ambient<Tx> | undefined;
    const run = async (tx: Tx): Promise<T> => {
      const ambient: Ambient<Tx> = { tx, sql: this.database.executor(tx), open: true, wrote: false };
      committing = ambient;
      try {
        return await this.storage.run(ambient, () => fn(tx, ambient.sql));
      } finally {
        ambient.open = false;
      }
    };
    const result = await (this.application?.begin((tx) => this.checked(tx, run)) ?? this.database.transaction(run));
    if (committing?.wrote) this.afterCommit();
    return result;
  }

  /**
   * Writes for the relay in `tx`, else in the ambient transaction; `fn` is told whether its commit is one that
   * `afterCommit` hears of. Throws MqError `MQ_NO_TRANSACTION`.
   */
  async write<T>(what: string, tx: Tx | undefined, fn: (sql: SqlExecutor, isHeard: boolean) => Promise<T>): Promise<T> {
    const ambient = this.storage.getStore();
    // An inner transaction of the application's own is nearer than the one we began around it.
    const wanted = tx ?? this.application?.current();
    if (wanted !== undefined && wanted !== ambient?.tx) return fn(this.database.executor(wanted), false);
    if (!ambient) throw noTransactionError(`${what} outside a transaction`);
    if (!ambient.open) throw noTransactionError(`${what} after its transaction has ended (is an await missing?)`);
    const result = await fn(ambient.sql, true);
    ambient.wrote = true;
    return result;
  }

  /** The application's adapter does not see that PostgreSQL will make a rollback of the commit; this statement does. */
  private async checked<T>(tx: Tx, run: (tx: Tx) => Promise<T>): Promise<T> {
    const result = await run(tx);
    await this.database.executor(tx).query('select 1');
    return result;
  }
}
