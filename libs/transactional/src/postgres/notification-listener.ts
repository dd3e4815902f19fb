// LISTEN on a connection of its own, made like those of the pool. Both PostgreSQL adapters use it; neither `pg` nor an
// ORM is imported, so that whatever version the user has is the one that runs.
import { BackgroundLoop, systemClock } from '@millrace/core';
import type { NotificationSubscription } from '../database/outbox-database.js';

/** What we use of a `pg` client. */
interface ListeningClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  /** Absent in old clients. */
  unref?(): void;
  on(event: 'notification' | 'error' | 'end', listener: (payload?: unknown) => void): unknown;
  readonly connection?: { readonly stream?: { destroy?(): void } };
}

/** What we use of a `pg` pool. */
export interface ClientFactory {
  readonly Client: new (options: object) => ListeningClient;
  readonly options: { readonly password?: unknown };
}

/** How long a polite goodbye may take before the socket is destroyed, in ms. */
const END_PATIENCE_MS = 1000;

export class NotificationListener implements NotificationSubscription {
  connected = false;
  /** Each pass is one connection, from connect to its end; a pass that fails is followed by back-off and another. */
  private readonly loop = new BackgroundLoop({
    name: 'outbox-listen',
    everyMs: 0,
    pass: (signal) => this.listenUntilEnd(signal),
  });

  /** @param channel a checked name: it becomes part of the statement */
  constructor(
    private readonly pool: ClientFactory,
    private readonly channel: string,
    private readonly onNotify: () => void,
  ) {
    this.loop.start();
  }

  close(): Promise<void> {
    return this.loop.stop();
  }

  /** Resolves when told to stop, rejects when the connection fails. */
  private async listenUntilEnd(signal: AbortSignal): Promise<void> {
    // The password of a pool's options is not enumerable. Keep-alive finds a connection that died without a word.
    const client = new this.pool.Client({
      ...this.pool.options,
      password: this.pool.options.password,
      keepAlive: true,
    });
    client.on('notification', () => this.onNotify());
    const ended = new Promise<never>((_, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('the connection ended')));
    });
    let stop!: () => void;
    const stopped = new Promise<void>((resolve) => (stop = resolve));
    signal.addEventListener('abort', stop);
    try {
      await Promise.race([this.subscribe(client), ended, stopped]);
      if (!signal.aborted) await Promise.race([ended, stopped]);
    } finally {
      // The signal outlives this connection, and there may be many in its life.
      signal.removeEventListener('abort', stop);
      this.connected = false;
      await Promise.race([client.end().catch(() => {}), systemClock.wait(END_PATIENCE_MS)]);
      client.connection?.stream?.destroy?.();
    }
  }

  private async subscribe(client: ListeningClient): Promise<void> {
    await client.connect();
    // Waiting for news is no reason to keep a process alive.
    client.unref?.();
    await client.query(`listen ${this.channel}`);
    this.connected = true;
    this.onNotify();
  }
}
