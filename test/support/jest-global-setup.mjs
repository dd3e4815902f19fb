// Starts the servers of the int and e2e suites once per run, unless REDIS_URL / DATABASE_URL name running ones.
// Both projects call this; the second finds the addresses already set and starts nothing.
import { startPostgres, startRedis } from '@millrace/testing/servers';

export default async function setup() {
  const servers = (globalThis.millraceServers ??= []);
  await Promise.all([provide('REDIS_URL', startRedis, servers), provide('DATABASE_URL', startPostgres, servers)]);
}

async function provide(variable, start, servers) {
  if (process.env[variable]) return;
  const server = await start();
  servers.push(server);
  process.env[variable] = server.url;
}
