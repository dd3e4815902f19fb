// Starts the servers of the int and e2e suites once per run, unless REDIS_URL / DATABASE_URL / MARIADB_URL name running
// ones. Without any MariaDB its suites fail, and say how to get one; all others run.
// Both projects call this; the second finds the addresses already set and starts nothing.
import { ServerUnavailableError, startMariaDb, startPostgres, startRedis } from '@millrace/testing/servers';

export default async function setup() {
  const servers = (globalThis.millraceServers ??= []);
  await Promise.all([
    provide('REDIS_URL', startRedis, servers),
    provide('DATABASE_URL', startPostgres, servers),
    provide('MARIADB_URL', startMariaDb, servers).catch((error) => {
      if (!(error instanceof ServerUnavailableError)) throw error;
      process.env.MARIADB_MISSING = error.message;
    }),
  ]);
}

async function provide(variable, start, servers) {
  if (process.env[variable]) return;
  const server = await start();
  servers.push(server);
  process.env[variable] = server.url;
}
