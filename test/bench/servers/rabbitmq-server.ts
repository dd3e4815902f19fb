// One node of RabbitMQ on loopback, with an Erlang port mapper of its own; both end with this process.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, ServerProcess, unpackedProgram, type UnpackedProgram } from '@millrace/testing/servers';
import { erlangPrograms, relocateErlang, runtimeFolder } from './erlang.js';
import { peerServer, storageOf, type PeerServer } from './peer-server.js';

const LIBRARIES = 'usr/lib/rabbitmq/lib';

const RABBITMQ = {
  name: 'rabbitmq',
  debian: 'rabbitmq-server',
  alsoUnpack: /^erlang-/,
  program: 'usr/lib/erlang/bin/erl',
  complete: relocateErlang,
};

export async function startRabbitMq(download: boolean): Promise<PeerServer> {
  const program = await unpackedProgram(RABBITMQ, { download });
  const release = (await readdir(join(program.root, LIBRARIES))).find((name) => name.startsWith('rabbitmq_server-'));
  if (!release) throw new Error(`no RabbitMQ in ${program.root}`);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-rabbitmq-'));
  const [port, nodePort, mapperPort] = [await freePort(), await freePort(), await freePort()];
  const mapper = new ServerProcess({
    name: 'epmd',
    bin: join(await runtimeFolder(program.root), 'epmd'),
    args: ['-debug', '-address', '127.0.0.1', '-port', String(mapperPort)],
    env: program.env,
    ready: /running/,
    stopSignal: 'SIGKILL',
    killSignal: 'SIGKILL',
  });
  const server = new ServerProcess({
    name: 'rabbitmq-server',
    bin: join(program.root, LIBRARIES, release, 'sbin/rabbitmq-server'),
    args: [],
    cwd: folder,
    env: environment(program, folder, port, nodePort, mapperPort),
    ready: /Server startup complete|completed with \d+ plugins/,
    // Nothing of it is needed again.
    stopSignal: 'SIGKILL',
    killSignal: 'SIGKILL',
    temporaryFolder: folder,
    startTimeoutMs: 120_000,
  });
  await mapper.start();
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    await mapper.stop();
    throw error;
  }
  return peerServer([mapper, server], {
    name: `RabbitMQ ${release.slice('rabbitmq_server-'.length)}`,
    // Heartbeats would take the time it is frozen for a dead peer.
    url: `amqp://guest:guest@127.0.0.1:${port}?heartbeat=0`,
    settings: `quorum queue of one node, persistent messages, files ${await storageOf(folder)}, synced before it confirms`,
  });
}

/** Everything it writes goes to the folder, everything it listens on is loopback. */
function environment(
  { root, env }: UnpackedProgram,
  folder: string,
  port: number,
  nodePort: number,
  mapperPort: number,
): NodeJS.ProcessEnv {
  const path = (name: string): string => join(folder, name);
  for (const name of ['data', 'log', 'schema', 'config']) mkdirSync(path(name));
  writeFileSync(path('enabled_plugins'), '[].\n');
  const inherited = Object.entries(env).filter(([name]) => !/^(RABBITMQ|ERL)_/.test(name));
  return {
    ...Object.fromEntries(inherited),
    PATH: `${erlangPrograms(root)}:${env.PATH ?? ''}`,
    // The cookie goes there.
    HOME: folder,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(mapperPort),
    RABBITMQ_NODENAME: 'bench@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(nodePort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_MNESIA_BASE: path('data'),
    RABBITMQ_LOG_BASE: path('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_SCHEMA_DIR: path('schema'),
    RABBITMQ_GENERATED_CONFIG_DIR: path('config'),
    RABBITMQ_CONFIG_FILE: path('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: path('advanced.config'),
    RABBITMQ_CONF_ENV_FILE: path('rabbitmq-env.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path('enabled_plugins'),
    RABBITMQ_FEATURE_FLAGS_FILE: path('feature_flags'),
    RABBITMQ_PID_FILE: path('pid'),
    // The start script then becomes the server instead of watching over it: one process, the one we know.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}
