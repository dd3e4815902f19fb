// The data folder of a MariaDB server: system tables are made once per server version and copied from the cache.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder, publishFolder } from './cache-folder.js';
import type { MariaDbProgram } from './find-mariadb.js';
import { runCommand } from './run-command.js';

/** Changes when the way the folder is made does. */
const RECIPE = 1;
const SYSTEM_TABLES = ['mysql_system_tables.sql', 'mysql_performance_tables.sql', 'mysql_system_tables_data.sql'];

/** Settings that the folder is made with must be those it is used with. */
export function storageArguments({ bin, share }: MariaDbProgram, folder: string): string[] {
  return [
    // Must come first: the machine's own my.cnf is for the machine's own server.
    '--no-defaults',
    `--basedir=${dirname(dirname(bin))}`,
    `--lc-messages-dir=${share}`,
    `--datadir=${folder}`,
    // MariaDB refuses root unless it is told by name.
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    '--innodb-log-file-size=16M',
    '--innodb-temp-data-file-path=ibtmp1:1M:autoextend',
    '--innodb-use-native-aio=0',
  ];
}

/** Fills `folder`, which must not exist. */
export async function createData(program: MariaDbProgram, folder: string): Promise<void> {
  const cache = cacheFolder();
  const version = await runCommand(program.bin, ['--no-defaults', '--version'], { env: program.env });
  const id = createHash('sha256').update(`${RECIPE} ${version}`).digest('hex').slice(0, 16);
  const prepared = join(cache, `mariadb-data-${id}`);
  if (!existsSync(prepared)) await prepare(program, cache, prepared);
  await cp(prepared, folder, { recursive: true });
}

async function prepare(program: MariaDbProgram, cache: string, target: string): Promise<void> {
  const work = await mkdtemp(join(cache, 'mariadb-'));
  try {
    const data = join(work, 'data');
    await mkdir(data);
    const texts = await Promise.all(SYSTEM_TABLES.map((name) => readFile(join(program.share, name), 'utf8')));
    const file = join(work, 'system-tables.sql');
    await writeFile(file, ['create database mysql;', 'use mysql;', ...texts].join('\n'));
    // The server reads its standard input; a shell connects the file to it.
    const start = ['-c', 'file="$1"; shift; exec "$@" < "$file"', 'sh', file, program.bin];
    const args = [...start, ...storageArguments(program, data), '--bootstrap', '--skip-log-bin'];
    await runCommand('sh', args, { env: program.env });
    await publishFolder(data, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
