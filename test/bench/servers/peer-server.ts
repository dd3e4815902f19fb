// A server of another kind than ours, frozen whenever it is not its turn: its timers must not cost the others anything.
import { statfs } from 'node:fs/promises';
import type { ServerProcess } from '@millrace/testing/servers';

export interface PeerServer {
  /** With its version. */
  readonly name: string;
  readonly url: string;
  /** What its figures depend on, in words. */
  readonly settings: string;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export function peerServer(
  processes: readonly ServerProcess[],
  about: Pick<PeerServer, 'name' | 'url' | 'settings'>,
): PeerServer {
  return {
    ...about,
    pause: () => processes.forEach((one) => one.pause()),
    resume: () => processes.forEach((one) => one.resume()),
    stop: async () => {
      // The last one started goes first: it may need the others to the end.
      for (const one of processes.toReversed()) await one.stop();
    },
  };
}

const TMPFS = 0x01021994;

/** A file system in memory makes every fsync free: who reads the figures must know. */
export async function storageOf(folder: string): Promise<string> {
  const { type } = await statfs(folder);
  return type === TMPFS ? 'in memory (tmpfs)' : 'on disk';
}
