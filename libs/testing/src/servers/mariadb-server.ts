// A MariaDB server with an empty database for one test run, for root and ordinary users alike.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findMariaDb } from './find-mariadb.js';
import { freePort } from './free-port.js';
import { createData, storageArguments } from './mariadb-data.js';
import { ServerStartError } from './server-errors.js';
import { ServerProcess } from './server-process.js';

const PORT_ATTEMPTS = 5;

export interface MariaDbServerOptions {
  /** Created empty. Letters, digits, `_`, `$` and `-`. Default `millrace`. */
  database?: string;
  /** Settings of my.cnf, `max_connections` for example; they win over ours. */
  settings?: Record<string, string>;
}

export interface MariaDbServer {
  /** `mysql://root@127.0.0.1:…/…`; there is no password, the server listens on loopback only. */
  readonly url: string;
  readonly port: number;
  /** Changes with `restart()`. */
  readonly pid: number;
  /** Ends the server in good order, drops every connection and removes the data. Final. */
  stop(): Promise<void>;
  /** As in a crash (`kill -9`): committed data survives, open transactions do not. `restart()` recovers. */
  kill(): Promise<void>;
  /** Freezes the process: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  /** Same port and data; open connections are dropped. */
  restart(): Promise<void>;
}

/**
 * Starts a server, creates the database and resolves once it accepts connections. It ends with this process at the
 * latest. @throws ServerUnavailableError when there is no binary to start
 */
export async function startMariaDb(options: MariaDbServerOptions = {}): Promise<MariaDbServer> {
  const { database = 'millrace', settings = {} } = options;
  if (!/^[\w$-]{1,64}$/.test(database)) throw new Error(`not a name for a database: ${database}`);
  const program = await findMariaDb();
  const dir = mkdtempSync(join(tmpdir(), 'millrace-mariadb-'));
  const data = join(dir, 'data');
  try {
    await createData(program, data);
    writeFileSync(join(dir, 'init.sql'), `create database if not exists \`${database}\`;\n`);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const server = new ServerProcess({
        name: 'mariadbd',
        bin: program.bin,
        args: [...storageArguments(program, data), `--port=${port}`, ...settingArguments(dir, settings)],
        cwd: dir,
        env: program.env,
        ready: /ready for connections/,
        stopSignal: 'SIGTERM',
        killSignal: 'SIGKILL',
        temporaryFolder: dir,
      });
      try {
        await server.start();
        return handle(server, port, database);
      } catch (error) {
        const portTaken = error instanceof ServerStartError && error.output.includes('Address already in use');
        if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

function settingArguments(dir: string, settings: Record<string, string>): string[] {
  const all = {
    bind_address: '127.0.0.1',
    socket: join(dir, 'socket'),
    pid_file: join(dir, 'pid'),
    // Everybody may do everything, as with PostgreSQL's `trust`. No look-ups of host names.
    skip_grant_tables: 'on',
    skip_name_resolve: 'on',
    character_set_server: 'utf8mb4',
    // The data need not survive a power cut; with 2 a commit is written to the system, and so survives kill().
    innodb_flush_log_at_trx_commit: '2',
    innodb_flush_method: 'nosync',
    innodb_doublewrite: '0',
    innodb_buffer_pool_size: '32M',
    max_connections: '200',
    performance_schema: 'off',
    init_file: join(dir, 'init.sql'),
    ...settings,
  };
  return Object.entries(all).map(([name, value]) => `--${name}=${value}`);
}

function handle(server: ServerProcess, port: number, database: string): MariaDbServer {
  return {
    url: `mysql://root@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    port,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    kill: () => server.kill(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    restart: () => server.restart(),
  };
}
