import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisServer, type RedisServerOptions, startRedis } from './redis-server.js';
import { ServerStartError, ServerUnavailableError } from './server-errors.js';

describe('a throw-away Redis server', () => {
  const cleanUps: (() => unknown)[] = [];

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  });

  async function started(options?: RedisServerOptions): Promise<RedisServer> {
    const server = await startRedis(options);
    cleanUps.push(() => server.stop());
    return server;
  }

  function client(server: RedisServer, commandTimeout?: number): Redis {
    const redis = new Redis(server.url, { commandTimeout });
    redis.on('error', () => undefined); // losing the server is the point of these specs
    cleanUps.push(() => {
      // On a socket that is already gone, disconnect() would leave a timer of 2 s behind.
      if (redis.status !== 'end') redis.disconnect();
    });
    return redis;
  }

  /** Sets k to v over a connection of its own, which is closed before the server goes. */
  async function store(server: RedisServer): Promise<void> {
    const redis = client(server);
    await redis.set('k', 'v');
    await redis.quit();
  }

  function ownFolder(): string {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-spec-'));
    cleanUps.push(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
  }

  it('answers at its url as soon as start resolves', async () => {
    const server = await started();
    await expect(client(server).ping()).resolves.toBe('PONG');
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
  });

  it('keeps nothing over a restart unless it was told to persist', async () => {
    const server = await started();
    await store(server);
    await server.restart();
    await expect(client(server).get('k')).resolves.toBeNull();
  });

  it('comes back after kill with the same port and what its append-only file held', async () => {
    const server = await started({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const { port, pid } = server;
    await store(server);
    await server.kill();
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    await expect(client(server).get('k')).resolves.toBe('v');
  });

  it('answers nothing while paused and everything after resume', async () => {
    const server = await started();
    const redis = client(server, 50);
    await redis.ping();
    server.pause();
    await expect(redis.ping()).rejects.toThrow('timed out');
    server.resume();
    await expect(client(server).ping()).resolves.toBe('PONG');
  });

  it('can be stopped while paused', async () => {
    const server = await started();
    server.pause();
    await server.stop();
    expect(() => server.pid).toThrow('not running');
  });

  it('removes its temporary folder when stopped and refuses to restart', async () => {
    const server = await started();
    expect(existsSync(server.dir)).toBe(true);
    await server.stop();
    expect(existsSync(server.dir)).toBe(false);
    await expect(server.restart()).rejects.toThrow('stopped for good');
  });

  it('leaves a folder that the caller gave', async () => {
    const dir = ownFolder();
    const server = await started({ dir });
    await server.stop();
    expect(existsSync(dir)).toBe(true);
  });

  it('says what the server wrote when it does not come up', async () => {
    const failure = await startRedis({ args: ['--no-such-setting', 'yes'] }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServerStartError);
    expect((failure as ServerStartError).output).toContain('no-such-setting');
  });

  it('names three ways to provide a server when there is none', async () => {
    const before = process.env.REDIS_SERVER_BIN;
    cleanUps.push(() => {
      if (before === undefined) delete process.env.REDIS_SERVER_BIN;
      else process.env.REDIS_SERVER_BIN = before;
    });
    process.env.REDIS_SERVER_BIN = '/nowhere/redis-server';
    const failure = await startRedis().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServerUnavailableError);
    for (const way of ['REDIS_URL', 'PATH', 'apt-get']) expect((failure as Error).message).toContain(way);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('dies with the process that started it, even if that one is killed', async () => {
    const program = `
      const { startRedis } = await import('@millrace/testing/servers');
      console.log((await startRedis({ dir: ${JSON.stringify(ownFolder())} })).port);
      process.stdin.resume();`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const connection = connect(Number(printed.toString()), '127.0.0.1').resume();
    connection.on('error', () => undefined); // a reset is as good an end as any
    const closed = new Promise((resolve) => connection.once('close', resolve));
    await once(connection, 'connect');
    parent.kill('SIGKILL');
    await closed;
  });
});
