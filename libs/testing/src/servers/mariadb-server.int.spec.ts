import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { type Connection, createConnection } from 'mysql2/promise';
import { type MariaDbServer, startMariaDb } from './mariadb-server.js';
import { ServerUnavailableError } from './server-errors.js';

describe('a throw-away MariaDB server', () => {
  const servers: MariaDbServer[] = [];

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  async function started(options?: Parameters<typeof startMariaDb>[0]): Promise<MariaDbServer> {
    const server = await startMariaDb(options);
    servers.push(server);
    return server;
  }

  it('offers an empty database of the given name at its url, and lets a setting of the caller win', async () => {
    const server = await started({ database: 'odd-name', settings: { max_connections: '17' } });
    const text = 'select database() as name, @@max_connections as connections';
    await expect(query(server, text)).resolves.toEqual([{ name: 'odd-name', connections: 17 }]);
    await expect(query(server, 'show tables')).resolves.toEqual([]);
  });

  it('keeps what was committed, and nothing else, when it is killed and restarted', async () => {
    const server = await started();
    await query(server, 'create table t (n int primary key)');
    await query(server, 'insert into t values (1)');
    const open = await createConnection(server.url);
    open.on('error', () => undefined);
    await open.query('begin');
    await open.query('insert into t values (2)');
    await server.kill();
    await server.restart();
    await expect(query(server, 'select n from t')).resolves.toEqual([{ n: 1 }]);
    open.destroy();
  });

  it('refuses connections once stopped, and leaves no folder', async () => {
    const server = await started();
    const [row] = (await query(server, 'select @@datadir as folder')) as { folder: string }[];
    expect(existsSync(row!.folder)).toBe(true);
    await server.stop();
    await expect(query(server, 'select 1')).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(row!.folder)).toBe(false);
  });

  it('names the ways to provide a server when there is none', async () => {
    const before = process.env.MARIADB_SERVER_BIN;
    process.env.MARIADB_SERVER_BIN = '/nowhere';
    const failure = await startMariaDb().catch((error: unknown) => error);
    if (before === undefined) delete process.env.MARIADB_SERVER_BIN;
    else process.env.MARIADB_SERVER_BIN = before;
    expect(failure).toBeInstanceOf(ServerUnavailableError);
    for (const way of ['MARIADB_URL', 'mariadb-server-core', 'PATH']) expect((failure as Error).message).toContain(way);
  });
});

async function query(server: MariaDbServer, text: string): Promise<unknown> {
  const connection: Connection = await createConnection(server.url);
  try {
    return (await connection.query(text))[0];
  } finally {
    await connection.end();
  }
}
