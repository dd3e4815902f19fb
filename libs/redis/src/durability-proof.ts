// How a durability level is proven on the server at hand, or why it cannot be.
import { unprovable, type DurabilityLevel } from '@millrace/core';
import type { Redis } from 'ioredis';
import { readConfig, readServerFacts, type ServerFacts } from './server-facts.js';

export interface Proof {
  /** Proves everything this connection has written; what is missing, or undefined when nothing is. */
  shortfall(client: Redis): Promise<string | undefined>;
}

/**
 * Throws BrokerRefusedError `MQ_DURABILITY` when this server has no means of proof.
 * @param waitMs how long one proof may take
 */
export async function proofOf(level: DurabilityLevel, client: Redis, waitMs: number): Promise<Proof> {
  const facts = await readServerFacts(client);
  if (!level.fsync) return { shortfall: (asked) => replicated(asked, level.replicas, waitMs) };
  return fsyncProof(level, facts, waitMs);
}

function fsyncProof({ replicas }: DurabilityLevel, facts: ServerFacts, waitMs: number): Proof {
  if (!facts.aof) throw unprovable('the server writes no append-only file (appendonly is off)');
  if (facts.hasWaitAof) return { shortfall: (asked) => synced(asked, replicas, waitMs) };
  if (replicas > 0)
    throw unprovable('a server without WAITAOF (Redis 7.2) does not tell what its replicas have on disk');
  if (facts.appendfsync === undefined)
    throw unprovable('the server has no WAITAOF (Redis 7.2) and forbids CONFIG, so its appendfsync is not known');
  if (facts.appendfsync !== 'always')
    throw unprovable(`the server has no WAITAOF (Redis 7.2), and appendfsync is ${facts.appendfsync}, not always`);
  return { shortfall: stillAlways };
}

async function replicated(client: Redis, replicas: number, waitMs: number): Promise<string | undefined> {
  const reached = await client.wait(replicas, waitMs);
  return reached >= replicas ? undefined : `${reached} of ${replicas} replicas have it`;
}

async function synced(client: Redis, replicas: number, waitMs: number): Promise<string | undefined> {
  const [local, remote] = (await client.call('WAITAOF', 1, replicas, waitMs)) as [number, number];
  if (local < 1) return 'it is not on the disk of the server yet';
  return remote >= replicas ? undefined : `${remote} of ${replicas} replicas have it on disk`;
}

/** With `always` the file is synced before the reply; the setting can be changed while we are connected. */
async function stillAlways(client: Redis): Promise<string | undefined> {
  const config = await readConfig(client);
  const isAlways = config.get('appendonly') === 'yes' && config.get('appendfsync') === 'always';
  return isAlways ? undefined : 'appendfsync is not always any more';
}
