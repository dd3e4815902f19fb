import { AsyncLocalStorage } from 'node:async_hooks';
import { clsTransactions } from './cls-transactions.js';
import type { OutboxDatabase } from './outbox-database.js';
import { TransactionScope } from './transaction-scope.js';

interface FakeTx {
  readonly name: string;
  readonly statements: string[];
}

/** What we use of the package's `TransactionHost`; the package itself is CommonJS that Jest cannot load on Node 20. */
class Host {
  private static readonly registered = new Map<string | undefined, Host>();
  private readonly storage = new AsyncLocalStorage<FakeTx>();
  private count = 0;

  static getInstance(name?: string): Host {
    const host = Host.registered.get(name);
    if (!host) throw new Error('TransactionHost not initialized');
    return host;
  }

  constructor(
    name: string | undefined,
    private readonly letter: string,
  ) {
    Host.registered.set(name, this);
  }

  get tx(): FakeTx {
    return this.storage.getStore() ?? { name: 'no transaction', statements: [] };
  }

  isTransactionActive(): boolean {
    return this.storage.getStore() !== undefined;
  }

  withTransaction<T>(_: 'REQUIRES_NEW', fn: () => Promise<T>): Promise<T> {
    return this.storage.run({ name: `${this.letter}${++this.count}`, statements: [] }, fn);
  }
}

const NEW = 'REQUIRES_NEW';

/** Begins transactions named own1, own2 … */
function fakeDatabase(): OutboxDatabase<FakeTx> {
  let count = 0;
  return {
    dialect: 'postgresql',
    query: async () => [],
    executor: (tx) => ({
      async query<R>(text: string) {
        tx.statements.push(text);
        return [{ tx: tx.name } as R];
      },
    }),
    transaction: (fn) => fn({ name: `own${++count}`, statements: [] }),
  };
}

const NAMES = ['orders', 'stock'];

describe('transactions of @nestjs-cls/transactional', () => {
  const where = async (scope: TransactionScope<FakeTx>, tx?: FakeTx): Promise<string> =>
    scope.write('outbox.send', tx, async (sql) => (await sql.query<{ tx: string }>('insert'))[0]!.tx);
  const scopeOf = async (name?: string, afterCommit?: () => void) =>
    new TransactionScope(
      fakeDatabase(),
      afterCommit,
      await clsTransactions<FakeTx>(name, async () => ({ TransactionHost: Host })),
    );

  it('are none while no plugin is registered: ours are begun as ever', async () => {
    const scope = await scopeOf();
    expect(await scope.join(() => where(scope))).toBe('own1');
    await expect(where(scope)).rejects.toMatchObject({ code: 'MQ_NO_TRANSACTION' });
  });

  it('are joined where one is open, and not when it has ended', async () => {
    const host = new Host(NAMES[0], 'a');
    const scope = await scopeOf(NAMES[0]);
    expect(await host.withTransaction(NEW, () => where(scope))).toBe('a1');
    expect(await host.withTransaction(NEW, () => scope.join(() => where(scope)))).toBe('a2');
    await expect(where(scope)).rejects.toMatchObject({ code: 'MQ_NO_TRANSACTION' });
  });

  it('{ tx } wins over them', async () => {
    const host = new Host(NAMES[0], 'a');
    const scope = await scopeOf(NAMES[0]);
    expect(await host.withTransaction(NEW, () => where(scope, { name: 'given', statements: [] }))).toBe('given');
  });

  it('begun by us are seen by the application, and their commit wakes the relay', async () => {
    const host = new Host(NAMES[0], 'a');
    let woken = 0;
    const scope = await scopeOf(NAMES[0], () => woken++);
    const seen = await scope.begin(async (tx) => {
      expect(await where(scope)).toBe('a1');
      return { tx, seen: host.tx };
    });
    expect(seen.seen).toBe(seen.tx);
    expect(woken).toBe(1);
    // The last one finds out whether the server will really commit.
    expect(seen.tx.statements).toEqual(['insert', 'select 1']);
  });

  it('an inner one of the application is nearer than ours around it', async () => {
    const host = new Host(NAMES[0], 'a');
    const scope = await scopeOf(NAMES[0]);
    const inner = await scope.begin(() => host.withTransaction(NEW, () => where(scope)));
    expect(inner).toBe('a2');
  });

  it('of two databases do not mix', async () => {
    const [orders, stock] = [new Host(NAMES[0], 'o'), new Host(NAMES[1], 's')];
    const [scopeOfOrders, scopeOfStock] = [await scopeOf(NAMES[0]), await scopeOf(NAMES[1])];
    await orders.withTransaction(NEW, () =>
      stock.withTransaction(NEW, async () => {
        expect(await where(scopeOfOrders)).toBe('o1');
        expect(await where(scopeOfStock)).toBe('s1');
      }),
    );
    await orders.withTransaction(NEW, () =>
      expect(where(scopeOfStock)).rejects.toMatchObject({ code: 'MQ_NO_TRANSACTION' }),
    );
  });

  it('are none where the package cannot be loaded; a name then is an error', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('no such package'));
    expect(await clsTransactions(undefined, fail)).toBeUndefined();
    await expect(clsTransactions('orders', fail)).rejects.toMatchObject({ code: 'MQ_INVALID_OPTION' });
  });

  it('a name without its plugin is an error at the first use', async () => {
    const scope = await scopeOf('nobody');
    await expect(where(scope)).rejects.toThrow('TransactionHost not initialized');
  });
});
