// NATS with JetStream and file storage.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, onPath, ServerProcess, unpackedProgram } from '@millrace/testing/servers';
import { peerServer, storageOf, type PeerServer } from './peer-server.js';
import { versionOf } from './version-of.js';

const NATS = { name: 'nats', debian: 'nats-server', program: 'usr/sbin/nats-server' };

export async function startNats(download: boolean): Promise<PeerServer> {
  const installed = process.env.NATS_SERVER_BIN ?? onPath('nats-server');
  const { bin, env } = installed ? { bin: installed, env: process.env } : await unpackedProgram(NATS, { download });
  const folder = mkdtempSync(join(tmpdir(), 'millrace-nats-'));
  const port = await freePort();
  const server = new ServerProcess({
    name: 'nats-server',
    bin,
    args: ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', folder],
    env,
    ready: /Server is ready/,
    // Nothing of it is needed again.
    stopSignal: 'SIGKILL',
    killSignal: 'SIGKILL',
    temporaryFolder: folder,
  });
  await server.start();
  return peerServer([server], {
    name: `NATS ${await versionOf(bin, env)}`,
    url: `nats://127.0.0.1:${port}`,
    settings: `stream with file storage ${await storageOf(folder)}, written at once, synced every 2 minutes (default)`,
  });
}
