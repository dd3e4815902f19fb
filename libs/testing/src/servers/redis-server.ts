// A Redis server for one test run: loopback only, nothing kept unless asked for.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerBinary } from './debian-server.js';
import { findRedis, findValkey } from './find-redis.js';
import { freePort } from './free-port.js';
import { ServerStartError } from './server-errors.js';
import { ServerProcess } from './server-process.js';

const PORT_ATTEMPTS = 5;

export interface RedisServerOptions {
  /** Further arguments of the server; they win over ours, for example `['--appendonly', 'yes']`. */
  args?: string[];
  /** Default: a free port. */
  port?: number;
  /** Working folder, kept by `stop()`. Default: a temporary folder that `stop()` removes. */
  dir?: string;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** Changes with `restart()`. */
  readonly pid: number;
  /** Ends the server in good order. Final. */
  stop(): Promise<void>;
  /** SIGKILL. What was only in memory is lost; `restart()` brings the server back. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Same port, folder and arguments, in good order if it still runs. Data returns only if it was persisted. */
  restart(): Promise<void>;
}

/**
 * Starts a server and resolves once it accepts connections. It ends with this process at the latest.
 * @throws ServerUnavailableError when no server binary can be had
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  return launchServer('redis-server', await findRedis(), options);
}

/**
 * The same with Valkey 8. A suite that cannot have it reports a skip.
 * @throws ServerUnavailableError when no server binary can be had
 */
export async function startValkey(options: RedisServerOptions = {}): Promise<RedisServer> {
  return launchServer('valkey-server', await findValkey(), options);
}

/** Internal to the launchers: `options.args` may be worked out from the port. */
export async function launchServer(
  name: string,
  { bin, env }: ServerBinary,
  options: Omit<RedisServerOptions, 'args'> & { args?: string[] | ((port: number) => Promise<string[]>) },
): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'millrace-redis-'));
    const args = typeof options.args === 'function' ? await options.args(port) : (options.args ?? []);
    const server = new ServerProcess({
      name,
      bin,
      args: [...defaultArguments(port, dir), ...args],
      env,
      ready: /ready to accept connections/i,
      stopSignal: 'SIGTERM',
      killSignal: 'SIGKILL',
      temporaryFolder: options.dir === undefined ? dir : undefined,
    });
    try {
      await server.start();
      return handle(server, port, dir);
    } catch (error) {
      await server.stop();
      const portTaken = error instanceof ServerStartError && error.output.includes('Address already in use');
      if (!portTaken || options.port !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function defaultArguments(port: number, dir: string): string[] {
  return ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'];
}

function handle(server: ServerProcess, port: number, dir: string): RedisServer {
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
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
