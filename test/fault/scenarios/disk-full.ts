import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario } from '../scenario.js';
import type { FaultKind } from '../stage/nemesis.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, ordered } from '../traffic.js';

const DISK_MIB = 48;

export const diskFull: Scenario = {
  id: 'T14',
  title: 'disk full, then space again',
  skip: () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-fault-disk-'));
    try {
      mountSmall(folder);
      unmount(folder);
      return undefined;
    } catch {
      return 'no right to mount a small file system here';
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  run: async (stage) => {
    const folder = join(stage.folder, 'disk');
    stage.makeFolder(folder);
    mountSmall(folder);
    stage.onClose(() => unmount(folder));
    // With `always` the server would end itself; a supervisor that restarts it is T1.
    const persistence = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'];
    await stage.startRedis(...persistence, '--dir', folder);
    const listening = [concurrent(0), ordered(1)];
    stage.rules = { groups: stage.groups(listening) };
    for (const name of ['consumer 1', 'consumer 2']) await stage.consumer(name, listening);
    await stage.producer('producer', { perSecond: 200, keys: 20, delayShare: 0.1, maxDelayMs: 1_000 });
    await stage.nemesis({ forMs: stage.forMs, everyMs: [800, 2_000], kinds: [fill(stage, folder)] });
    await stage.finish();
  },
};

function fill(stage: Stage, folder: string): FaultKind {
  return (prng) => {
    const ms = prng.int(1_500, 3_500);
    return {
      what: `disk full for ${ms} ms`,
      strike: async () => {
        const ballast = join(folder, 'ballast');
        try {
          for (let part = 0; part <= DISK_MIB; part++) writeFileSync(ballast, Buffer.alloc(1 << 20, 1), { flag: 'a' });
        } catch {
          // Full, as it should be: a failed write still takes the last pages.
        }
        await stage.wait(ms);
        const state = /aof_last_write_status:(\w+)/.exec(await stage.direct.info('persistence'))?.[1];
        stage.figures['server could not write'] =
          Number(stage.figures['server could not write'] ?? 0) + (state === 'ok' ? 0 : 1);
        rmSync(ballast);
      },
    };
  };
}

function mountSmall(folder: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=0777`, 'tmpfs', folder], { stdio: 'ignore' });
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
}
