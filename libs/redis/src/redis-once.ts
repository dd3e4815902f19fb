// OnceRecords on Redis: what is asked for in one turn leaves in one script call per group and shard.
import { routeOf, type ClaimAnswer, type OnceClaim, type OnceRecords } from '@millrace/core';
import type { Caller } from './caller.js';
import { Coalescer } from './coalescer.js';
import type { ShardKeys } from './keys.js';
import type { ScriptName } from './scripts.js';
import type { Topics } from './topics.js';

interface Completion {
  readonly claim: OnceClaim;
  readonly result: string;
}

const CLAIM_BYTES = 128;
const PER_CALL = { maxItems: 128, maxBytes: 256 * 1024, maxCalls: 2 };

/** The records of one group in one shard. */
class OnceShard {
  readonly claims = new Coalescer<OnceClaim, ClaimAnswer>({ ...PER_CALL, bytesOf: () => CLAIM_BYTES }, (claims) =>
    this.claim(claims),
  );
  readonly renewals = new Coalescer<OnceClaim, boolean>({ ...PER_CALL, bytesOf: () => CLAIM_BYTES }, (claims) =>
    this.ask('renew-once', claims, ({ leaseMs, ttlMs, fence, messageId, name }) => [
      leaseMs,
      ttlMs,
      fence,
      messageId,
      name,
    ]),
  );
  readonly completions = new Coalescer<Completion, boolean>(
    { ...PER_CALL, bytesOf: ({ result }) => CLAIM_BYTES + result.length },
    (items) => this.complete(items),
  );
  readonly releases = new Coalescer<OnceClaim, void>({ ...PER_CALL, bytesOf: () => CLAIM_BYTES }, (claims) =>
    this.release(claims),
  );

  constructor(
    private readonly keys: ShardKeys,
    private readonly group: string,
    private readonly caller: Caller,
  ) {}

  private async claim(claims: readonly OnceClaim[]): Promise<ClaimAnswer[]> {
    const args = claims.flatMap(({ leaseMs, ttlMs, fence, messageId, name }) => [
      leaseMs,
      ttlMs,
      fence,
      messageId,
      name,
    ]);
    const names = [this.keys.meta, ...this.buckets(claims)];
    const answers = (await this.caller.run('claim-once', names, [this.group, ...args])) as string[][];
    return answers.map(([word, first, result]): ClaimAnswer => {
      if (word === 'GRANTED') return { type: 'granted' };
      if (word === 'BUSY') return { type: 'busy', leftMs: Number(first) };
      return { type: 'done', messageId: first!, ...(result ? { result } : {}) };
    });
  }

  private complete(items: readonly Completion[]): Promise<boolean[]> {
    const results = new Map(items.map(({ claim, result }) => [claim, result]));
    const claims = items.map(({ claim }) => claim);
    return this.ask('complete-once', claims, (claim) => [
      claim.ttlMs,
      claim.fence,
      claim.messageId,
      results.get(claim)!,
      claim.name,
    ]);
  }

  private async release(claims: readonly OnceClaim[]): Promise<void[]> {
    const args = claims.flatMap(({ fence, messageId, name }) => [fence, messageId, name]);
    await this.caller.run('release-once', this.buckets(claims), args);
    return claims.map(() => undefined);
  }

  /** Which of the claims hold. */
  private async ask(
    script: Extract<ScriptName, 'renew-once' | 'complete-once'>,
    claims: readonly OnceClaim[],
    argsOf: (claim: OnceClaim) => (string | number)[],
  ): Promise<boolean[]> {
    const names = [this.keys.meta, ...this.buckets(claims)];
    const lost = new Set((await this.caller.run(script, names, claims.flatMap(argsOf))) as number[]);
    return claims.map((_, index) => !lost.has(index));
  }

  private buckets(claims: readonly OnceClaim[]): string[] {
    const group = this.keys.group(this.group);
    return claims.map(({ name }) => group.once(name));
  }
}

export class RedisOnce implements OnceRecords {
  private readonly shards = new Map<string, OnceShard>();

  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
  ) {}

  claim(claims: readonly OnceClaim[]): Promise<ClaimAnswer[]> {
    return Promise.all(claims.map((claim) => this.shard(claim).claims.add(claim)));
  }

  async renew(claims: readonly OnceClaim[]): Promise<OnceClaim[]> {
    const held = await Promise.all(claims.map((claim) => this.shard(claim).renewals.add(claim)));
    return claims.filter((_, index) => held[index]);
  }

  async complete(claim: OnceClaim, result = ''): Promise<'completed' | 'lost'> {
    return (await this.shard(claim).completions.add({ claim, result })) ? 'completed' : 'lost';
  }

  release(claim: OnceClaim): Promise<void> {
    return this.shard(claim).releases.add(claim);
  }

  /** A pure function of the claim: two messages with one key meet, wherever they lie. */
  private shard({ topic, group, routingKey }: OnceClaim): OnceShard {
    const { settings, shards } = this.topics.get(topic);
    const { shard } = routeOf(routingKey, settings);
    const name = `${topic} ${shard} ${group}`;
    let known = this.shards.get(name);
    if (!known) this.shards.set(name, (known = new OnceShard(shards[shard]!, group, this.caller)));
    return known;
  }
}
