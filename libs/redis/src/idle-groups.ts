// Groups that nobody consumes for any more: told once, and destroyed where the topic says so.
import type { IdleAnswer } from '@millrace/core';
import type { Caller } from './caller.js';
import type { DeclaredGroups } from './declared-groups.js';
import type { KnownTopic, Topics } from './topics.js';

type Found = [group: string, idleMs: number, expires?: 'EXPIRES' | 'SCHEDULES'];

export class IdleGroups {
  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
    private readonly groups: DeclaredGroups,
  ) {}

  async check(topic: string, idleAfterMs: number, expireAfterMs: number | undefined): Promise<IdleAnswer> {
    const known = this.topics.get(topic);
    const answer = await this.find(known, [idleAfterMs, expireAfterMs ?? '']);
    const found = answer.filter(([, , what]) => what !== 'SCHEDULES');
    const expired: string[] = [];
    for (const [group, , expires] of found)
      if (expires && (await this.expire(known, group, expireAfterMs!))) expired.push(group);
    const idle = found.filter(([, , expires]) => !expires).map(([group, idleMs]) => ({ group, idleMs }));
    return { idle, expired, ...(found.length < answer.length && { hasSchedules: true }) };
  }

  /** Frozen: an alarm whose reply is lost would never be raised again. */
  private async find({ shards }: KnownTopic, rule: (string | number)[]): Promise<Found[]> {
    const first = shards[0]!;
    const slotOf = (slot: string): string => first.slot(slot);
    const reply = await this.caller.insist(() => this.caller.freeze('find-idle', slotOf, [first.meta], rule));
    return JSON.parse(reply) as Found[];
  }

  /** Shard 0 last: as long as the group is named there, the rest is found again after a crash half-way. */
  private async expire({ settings, shards }: KnownTopic, group: string, idleMs: number): Promise<boolean> {
    const queues = Array.from({ length: settings.queues / settings.shards }, (_, queue) => queue);
    let reply: unknown;
    for (const shard of shards.toReversed()) {
      const names = [shard.meta, ...queues.map((queue) => shard.queue(queue)), ...shard.group(group).all(queues)];
      const args = [group, queues.length, shard.shard === 0 ? idleMs : ''];
      reply = await this.caller.run('expire-group', names, args);
      this.groups.forget(shard);
    }
    return reply === 'EXPIRED';
  }
}
