// DeadLetterFeed on Redis: leases on names of dead letters that nobody was told of.
import { topicSpec, type DeadLetterFeed, type UntoldDeadLetter } from '@millrace/core';
import type { Caller } from './caller.js';
import { decodeLetter } from './dead-letter-codec.js';
import type { Topics } from './topics.js';

const MOST_PER_CALL = 100;
const BYTES_PER_CALL = 1024 * 1024;
/** A declaration outlives a night in which no listener runs, whatever the retention. */
const SHORTEST_LIFE_MS = 86_400_000;

export class RedisDeadLetterFeed implements DeadLetterFeed {
  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
  ) {}

  async take(
    topic: string,
    group: string,
    { max, leaseMs }: { max: number; leaseMs: number },
  ): Promise<UntoldDeadLetter[]> {
    const { settings, shards } = await this.topics.look(topicSpec({ topic }, false));
    const life = Math.max(settings.deadLetterRetentionMs, SHORTEST_LIFE_MS);
    const taken: UntoldDeadLetter[] = [];
    // Also when there is nothing left to ask for: each shard must know that somebody wants to be told.
    for (const [shard, keys] of shards.entries()) {
      const { untold, deadLetters } = keys.group(group);
      const want = Math.min(max - taken.length, MOST_PER_CALL);
      const args = [want, leaseMs, life, BYTES_PER_CALL];
      const rows = (await this.caller.run('take-dead-letters', [untold, deadLetters], args, 'buffer')) as Buffer[][];
      for (const [name, token, ...packed] of rows)
        taken.push({
          shard,
          token: token!.toString('latin1'),
          letter: decodeLetter(topic, group, name!.toString(), packed),
        });
    }
    return taken;
  }

  async settle(
    untold: UntoldDeadLetter,
    how: { type: 'told' } | { type: 'again'; delayMs: number },
  ): Promise<'settled' | 'lease-lost'> {
    const reply = await this.tell(untold, how.type, how.type === 'again' ? Math.round(how.delayMs) : 0);
    return reply === 'LOST' ? 'lease-lost' : 'settled';
  }

  async renew(untold: UntoldDeadLetter, leaseMs: number): Promise<boolean> {
    const reply = await this.tell(untold, 'again', leaseMs);
    if (reply === 'LOST') return false;
    untold.token = reply;
    return true;
  }

  private async tell({ letter, shard, token }: UntoldDeadLetter, how: string, delayMs: number): Promise<string> {
    const { shards } = await this.topics.look(topicSpec({ topic: letter.topic }, false));
    const { untold } = shards[shard]!.group(letter.group);
    return (await this.caller.run('tell-dead-letter', [untold], [letter.name, token, how, delayMs])) as string;
  }
}
