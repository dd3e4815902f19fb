// What of a server's settings endangers messages: one warning each, with a stable code.
import type { BrokerWarning } from '@millrace/core';
import type { ServerFacts } from './server-facts.js';

/** Oldest versions that the scripts are made for. */
const FLOORS = { Redis: [7, 0, 5], Valkey: [8, 0, 0] } as const;
const CLOCK_TOLERANCE_MS = 1_000;

/** @param through whether the connection knows of Clusters */
export function serverWarnings(facts: ServerFacts, through: 'cluster' | 'single'): BrokerWarning[] {
  const { flavour, version, maxmemoryPolicy, aof, rdb, clockDifferenceMs } = facts;
  const warnings: BrokerWarning[] = [];
  const warn = (code: BrokerWarning['code'], text: string): void => void warnings.push({ code, text });
  if (isBelow(version, FLOORS[flavour]))
    warn(
      'server-version',
      `${flavour} ${version.join('.')} is older than ${FLOORS[flavour].join('.')}, the oldest supported`,
    );
  if (maxmemoryPolicy === undefined)
    warn('not-checked', 'the server does not tell its maxmemory-policy; it must be noeviction');
  else if (maxmemoryPolicy !== 'noeviction')
    warn(
      'eviction',
      `maxmemory-policy is ${maxmemoryPolicy}: a full server deletes messages and groups; set noeviction`,
    );
  if (!aof && rdb === false)
    warn('no-persistence', 'neither AOF nor snapshots are on: a restart of the server loses every message');
  if (!aof && rdb === undefined)
    warn('not-checked', 'AOF is off, and CONFIG is forbidden: whether snapshots are taken could not be checked');
  if (facts.isReplica)
    warn('replica', 'the server is a replica: nothing can be stored until it is promoted; connect to the primary');
  if (facts.isCluster && through === 'single')
    warn('cluster-mode', 'the server is a node of a Cluster: give all its nodes as connection, not one of them');
  if (Math.abs(clockDifferenceMs) > CLOCK_TOLERANCE_MS)
    warn(
      'clock-difference',
      `the clock of the server is ${Math.round(Math.abs(clockDifferenceMs))} ms ${clockDifferenceMs > 0 ? 'ahead of' : 'behind'} ours: deliverAt goes by the server's`,
    );
  return warnings;
}

function isBelow(version: readonly number[], floor: readonly number[]): boolean {
  for (let part = 0; part < floor.length; part++)
    if (version[part] !== floor[part]) return version[part]! < floor[part]!;
  return false;
}
