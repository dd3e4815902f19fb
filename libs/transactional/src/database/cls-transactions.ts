// Transactions that the application keeps with @nestjs-cls/transactional: an optional peer, imported only if installed.
import { InvalidOptionError } from '@millrace/core';

/** Transactions that something else in the application keeps. */
export interface AmbientTransactions<Tx> {
  /** The one that is open here; undefined when none is. */
  current(): Tx | undefined;
  /** Begins a new one, which is current for all that ask; undefined when the application keeps none after all. */
  begin<T>(fn: (tx: Tx) => Promise<T>): Promise<T> | undefined;
}

/** What we use of `TransactionHost`. */
interface Host<Tx> {
  readonly tx: Tx;
  isTransactionActive(): boolean;
  withTransaction<T>(propagation: 'REQUIRES_NEW', fn: () => Promise<T>): Promise<T>;
}

interface HostClass<Tx> {
  /** Throws while no plugin of this name is registered. */
  getInstance(connectionName?: string): Host<Tx>;
}

/**
 * @param connectionName of `ClsPluginTransactional`; undefined is the unnamed one, which need not exist. Throws
 * InvalidOptionError for a name when the package is not installed.
 */
export async function clsTransactions<Tx>(
  connectionName?: string,
  load: () => Promise<unknown> = () => import('@nestjs-cls/transactional'),
): Promise<AmbientTransactions<Tx> | undefined> {
  let hosts: HostClass<Tx>;
  try {
    hosts = ((await load()) as { TransactionHost: HostClass<Tx> }).TransactionHost;
  } catch (cause) {
    // What we cannot load, the application has not loaded either: no plugin can be registered.
    if (connectionName === undefined) return undefined;
    const problem = `needs the package @nestjs-cls/transactional: ${String(cause)}`;
    throw new InvalidOptionError('transactional.clsConnection', connectionName, problem);
  }
  // Asked each time: plugins are registered while the application starts, in no certain order.
  const host = (): Host<Tx> | undefined => {
    try {
      return hosts.getInstance(connectionName);
    } catch (error) {
      if (connectionName !== undefined) throw error;
      return undefined;
    }
  };
  return {
    current() {
      const own = host();
      return own?.isTransactionActive() ? own.tx : undefined;
    },
    begin(fn) {
      const own = host();
      return own?.withTransaction('REQUIRES_NEW', () => fn(own.tx));
    },
  };
}
