// A PostgreSQL server with an empty database for one test run, for root and ordinary users alike.
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgres, openToAll } from './find-postgres.js';
import { freePort } from './free-port.js';
import { runCommand } from './run-command.js';
import { ServerStartError } from './server-errors.js';
import { ServerProcess } from './server-process.js';

const PORT_ATTEMPTS = 5;
/** PostgreSQL refuses to run as root; root starts it as `nobody`. */
const NOBODY = { uid: 65_534, gid: 65_534 };

export interface PostgresServerOptions {
  /** Created empty. Default `millrace`. */
  database?: string;
  /** Settings of postgresql.conf; they win over ours. */
  settings?: Record<string, string>;
}

export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  /** Changes with `restart()`. */
  readonly pid: number;
  /** Ends the server in good order, drops every connection and removes the data. Final. */
  stop(): Promise<void>;
  /** Immediate shutdown, as in a crash: committed data survives, open transactions do not. `restart()` recovers. */
  kill(): Promise<void>;
  /** Same port and data; open connections are dropped. */
  restart(): Promise<void>;
}

/**
 * Starts a server, creates the database and resolves once it accepts connections. It ends with this process at the latest.
 * @throws ServerUnavailableError when there are no binaries to start
 */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const { database = 'millrace', settings = {} } = options;
  const asRoot = process.getuid?.() === 0;
  const dir = mkdtempSync(join(asRoot && !openToAll(tmpdir()) ? '/tmp' : tmpdir(), 'millrace-postgres-'));
  const ids = asRoot ? NOBODY : {};
  const env = { PATH: process.env.PATH, LC_ALL: 'C', HOME: dir };
  try {
    if (asRoot) chownSync(dir, NOBODY.uid, NOBODY.gid);
    const bin = await findPostgres(dir);
    const initArguments = ['-D', join(dir, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8'];
    initArguments.push('--no-locale', '--no-sync', '--no-instructions');
    await runCommand(join(bin, 'initdb'), initArguments, { ...ids, cwd: dir, env });
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const server = new ServerProcess({
        name: 'postgres',
        bin: join(bin, 'postgres'),
        args: ['-D', join(dir, 'data'), '-p', String(port), ...settingArguments(settings)],
        ...ids,
        cwd: dir,
        env,
        ready: /ready to accept connections/,
        stopSignal: 'SIGINT',
        killSignal: 'SIGQUIT',
        temporaryFolder: dir,
      });
      try {
        await server.start();
      } catch (error) {
        const portTaken = error instanceof ServerStartError && error.output.includes('Address already in use');
        if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
        continue;
      }
      await createDatabase(port, database).catch(async (error: unknown) => {
        await server.stop();
        throw error;
      });
      return handle(server, port, database);
    }
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

function settingArguments(settings: Record<string, string>): string[] {
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // The data need not survive a power cut. synchronous_commit stays on, so that they do survive kill().
    fsync: 'off',
    full_page_writes: 'off',
    shared_buffers: '16MB',
    max_connections: '50',
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function createDatabase(port: number, database: string): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client(urlOf(port, 'postgres'));
  await client.connect();
  try {
    await client.query(`create database ${pg.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}

function urlOf(port: number, database: string): string {
  return `postgres://postgres@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

function handle(server: ServerProcess, port: number, database: string): PostgresServer {
  return {
    url: urlOf(port, database),
    port,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    kill: () => server.kill(),
    restart: () => server.restart(),
  };
}
