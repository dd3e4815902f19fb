// The Erlang of Debian's packages run from another folder than /usr/lib/erlang, which its start script insists on.
import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const HOME = 'usr/lib/erlang';

/** Finds its folder by itself, wherever that was moved. RabbitMQ calls it by this path, too. */
const ERL = `#!/bin/sh
ROOTDIR=$(cd "$(dirname "$0")/.." && pwd)
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
EMU=beam
PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" "$@"
`;

/** @returns the files that need libraries of the system */
export async function relocateErlang(root: string): Promise<string[]> {
  const script = join(root, HOME, 'bin/erl');
  await rm(script);
  await writeFile(script, ERL);
  await chmod(script, 0o755);
  const crypto = (await readdir(join(root, HOME, 'lib'))).filter((name) => name.startsWith('crypto-'));
  const runtime = await runtimeFolder(root);
  return [
    join(runtime, 'beam.smp'),
    join(runtime, 'epmd'),
    ...crypto.map((name) => join(root, HOME, 'lib', name, 'priv/lib/crypto.so')),
  ];
}

/** Where erl is, for the PATH. */
export function erlangPrograms(root: string): string {
  return join(root, HOME, 'bin');
}

/** Where beam.smp and epmd are. */
export async function runtimeFolder(root: string): Promise<string> {
  const runtime = (await readdir(join(root, HOME))).find((name) => name.startsWith('erts-'));
  if (!runtime) throw new Error(`no Erlang run-time in ${root}`);
  return join(root, HOME, runtime, 'bin');
}
