// Every key Millrace writes, spelled once: its Redis type, who writes it, when it goes (docs/wire-format.md).
// All keys of a shard carry one hash tag, so every script is single-slot and one read serves all queues of a shard.
import { crc32 } from 'node:zlib';

/** Version of the key layout; stored in `meta`. A newer one is refused, the one before is still read. */
export const KEY_SCHEMA_VERSION = 1;

/** Never written: a key of the same shard that does not exist, as a declared key of every script in a Cluster (scripts.ts). */
export function absentKey(ofSameShard: string): string {
  return `${ofSameShard.slice(0, ofSameShard.indexOf('}') + 1)}:absent`;
}

/**
 * hash, the time of a namespace that a test moves, and what its marks mean; `:ends`, zset, key → ms when it goes; `:streams`, set,
 * streams with groups · tests only: virtual-time.lua, move.lua · removed with the namespace.
 */
export function virtualClockKey(namespace: string): string {
  return `{${namespace}:clock}:time`;
}

/**
 * Which bucket of its shard a record lies in: 0 to 4095, the first 12 bits of the CRC-32 of its name. The last ones have chosen the shard
 * already. record-key.lua works out the same.
 */
export function recordBucket(name: string): number {
  return crc32(name) >>> 20;
}

/** Keys of one shard of one topic. */
export class ShardKeys {
  private readonly prefix: string;

  constructor(
    namespace: string,
    readonly topic: string,
    readonly shard: number,
  ) {
    this.prefix = `{${namespace}:${topic}:${shard}}:`;
  }

  /**
   * hash · declare-topic, declare-group, open-broadcast, counters of send and settle; in shard 0 also what operators order (set-order) and
   * signs of life (beat) · lives as long as the topic.
   */
  get meta(): string {
    return `${this.prefix}meta`;
  }

  /** stream · send, promote · trimmed behind the slowest declared group. */
  queue(queue: number): string {
    return `${this.prefix}q:${queue}`;
  }

  /** zset, message id → due ms · send, reschedule · promote, cancel remove. */
  delayed(bucket: number): string {
    return `${this.prefix}dz:${bucket}`;
  }

  /** hash, message id → packed message · as `delayed`. */
  delayedPayloads(bucket: number): string {
    return `${this.prefix}dh:${bucket}`;
  }

  /**
   * hash, a block of slots: slot → number, end and reply of its latest call · every frozen call · the life of its latest call (2 × the
   * send deadline, 60 s at least) and up to 20 s more.
   */
  slot(block: string): string {
    return `${this.prefix}tok:${block}`;
  }

  /**
   * hash, the bucket of a business key: name → end|digest|delay bucket|queue|message id · send, prepare-half, commit-half, reschedule ·
   * fields: cancel, rollback-half, or some time after they have ended; the key up to a minute after the last of them: record.lua.
   */
  record(name: string): string {
    return `${this.recordPrefix}${recordBucket(name)}`;
  }

  /** hash, message id → packed half message · prepare-half · commit-half, rollback-half. */
  get halves(): string {
    return `${this.prefix}hh`;
  }

  /** hash, message id → producer group, checks, since · prepare-half, take-checks, resume-half · as `halves`. */
  get halfStates(): string {
    return `${this.prefix}hs`;
  }

  /** zset, message id → ms of its next check · prepare-half, take-checks, resume-half · when it is decided or parked. */
  halfChecks(producerGroup: string): string {
    return `${this.prefix}hz:${producerGroup}`;
  }

  /** zset, message id → ms since it is parked · take-checks · resume-half, or when it is decided. */
  get parkedHalves(): string {
    return `${this.prefix}hp`;
  }

  /** hash, bucket of a message id: what became of half messages, id → end|outcome · commit-half, rollback-half · 15 min, as `record`. */
  halfOutcome(messageId: string): string {
    return `${this.prefix}ho:${recordBucket(messageId)}`;
  }

  /** For scripts that learn a record's name from a stored message: what the key of its bucket begins with. */
  get recordPrefix(): string {
    return `${this.prefix}id:`;
  }

  /** For scripts that find out by themselves which groups there are: what a group's key begins with, and how it goes on. */
  backlogNames(queues: number): Record<string, string | string[]> {
    const key = new GroupKeys('');
    return {
      queues: Array.from({ length: queues }, (_, queue) => this.queue(queue)),
      group: `${this.prefix}g:`,
      retries: `:${key.retries('')}`,
      waiting: `:${key.waiting}`,
      payloads: `:${key.waitingPayloads}`,
      notes: `:${key.started}`,
      parkedKeys: `:${key.parkedKeys('')}`,
      parkedMembers: `:${key.parkedMembers('')}`,
      parkedMessages: `:${key.parkedMessages('')}`,
    };
  }

  /** hash, name → record of a recurring message, JSON (shard 0) · order-schedule, plan-tick, mark-tick, settle-drop · remove. */
  get schedules(): string {
    return `${this.prefix}sch`;
  }

  /** hash, name → what it sends, JSON (shard 0) · order-schedule · remove. */
  get scheduleContents(): string {
    return `${this.prefix}scc`;
  }

  /** string, places of a named broadcast instance, JSON · keep-broadcast · 24 h after its last write. */
  broadcast(group: string, instance: string): string {
    return `${this.prefix}b:${group}:${instance}`;
  }

  group(group: string): GroupKeys {
    return new GroupKeys(`${this.prefix}g:${group}:`);
  }
}

/** Keys of one group in one shard. */
export class GroupKeys {
  constructor(private readonly prefix: string) {}

  /** zset, name → due ms of a waiting retry · settle · promote removes. */
  get waiting(): string {
    return `${this.prefix}rz`;
  }

  /** hash, name → packed message with its retry state · as `waiting`. */
  get waitingPayloads(): string {
    return `${this.prefix}rh`;
  }

  /** stream, messages that come again to this group only · promote, settle, redrive · trimmed behind the group. */
  retries(queue: number | ''): string {
    return `${this.prefix}rs:${queue}`;
  }

  /** zset, name → ms of death · settle · redrive, purge, 14 days. */
  get dead(): string {
    return `${this.prefix}dlz`;
  }

  /** hash, name → packed dead letter · as `dead`. */
  get deadLetters(): string {
    return `${this.prefix}dlh`;
  }

  /**
   * zset, name → ms from which a listener may be told of it; '' → inf declares one · take-dead-letters makes it, settle adds,
   * tell, redrive and purge remove · the dead-letter retention after the last listener asked.
   */
  get untold(): string {
    return `${this.prefix}dlu`;
  }

  /**
   * hash, `w:consumer:queue:` → id up to which its handlers have started · mark-started, ack · forget-consumers; and for an
   * entry that was taken over, `queue:entry` → crashes, `u` or `s` for started, epoch · reclaim, note-started · settle.
   */
  get started(): string {
    return `${this.prefix}run`;
  }

  /** zset, ordering key → due ms or state (ordered) · settle, read-ordered, wake-parked · when its last message has ended. */
  parkedKeys(queue: number | ''): string {
    return `${this.prefix}pz:${queue}`;
  }

  /** zset, `<length>:<ordering key>:<entry>`, all scores 0: the parked messages in order · as `parkedKeys`. */
  parkedMembers(queue: number | ''): string {
    return `${this.prefix}pe:${queue}`;
  }

  /** hash, member → packed message, and key → since, takes, end of its page · as `parkedKeys`. */
  parkedMessages(queue: number | ''): string {
    return `${this.prefix}ph:${queue}`;
  }

  /** stream of one entry, whose change wakes the owner of the queue · settle, wake-parked, resume-key, skip-key · stays. */
  parkedBell(queue: number): string {
    return `${this.prefix}pb:${queue}`;
  }

  /** All that scripts about the parked keys of a queue need, in their order. */
  parked(queue: number): string[] {
    return [this.parkedKeys(queue), this.parkedMembers(queue), this.parkedMessages(queue), this.parkedBell(queue)];
  }

  /** hash, queue → owner|epoch|until (ordered) · lease-queue, release-queue · stays: epochs must not go back. */
  get owners(): string {
    return `${this.prefix}own`;
  }

  /**
   * hash, bucket of a key of an idempotent listener: key → end|who has claimed it, or that it is done · claim-once, renew-once,
   * complete-once · fields: the listener's ttl, or release-once; the key as `ShardKeys.record`.
   */
  once(name: string): string {
    return `${this.prefix}once:${recordBucket(name)}`;
  }

  /** Every key of the group in this shard: they go together when it expires; besides `once`, which has a life of its own. */
  all(queues: readonly number[]): string[] {
    const { waiting, waitingPayloads, dead, deadLetters, untold, started, owners } = this;
    const { tags, live, nextStart, slots, members } = this;
    const perQueue = queues.flatMap((queue) => [this.retries(queue), ...this.parked(queue)]);
    const rest = [tags, live, nextStart, slots, members];
    return [waiting, waitingPayloads, ...perQueue, dead, deadLetters, untold, started, owners, ...rest];
  }

  /** zset, tag or `*` → ms of the latest sign of life of a member that takes it · declare-group, register-tags, beat · 1 h. */
  get tags(): string {
    return `${this.prefix}tags`;
  }

  /** hash, member → `<ms of its latest sign of life> <its tags, JSON>` (shard 0) · beat, leave-control · 10 s. */
  get live(): string {
    return `${this.prefix}live`;
  }

  /** string, next free instant of the group's rate limit, server ms (shard 0) · book-starts · a second after it. */
  get nextStart(): string {
    return `${this.prefix}rate`;
  }

  /** hash, member → `<held> <wanted> <since> <until>` of the group's concurrency (shard 0) · hold-slots, leave-control · 2 leases. */
  get slots(): string {
    return `${this.prefix}slots`;
  }

  /** zset, member → heartbeat ms (ordered, shard 0) · join-group, leave-group · 10 × its time-out. */
  get members(): string {
    return `${this.prefix}mem`;
  }
}

/** Keys of the long operations of a namespace (@millrace/operations). */
export class OperationKeys {
  constructor(private readonly namespace: string) {}

  /** BullMQ's own keys begin with it: operations, their history and events · libs/operations · 1000 of them by default. */
  get prefix(): string {
    return `{${this.namespace}:operations}`;
  }

  /** string, operation and runner that may work on this group now · take-turn · leave-turn, or `takeover` of silence. */
  turn(topic: string, group: string): string {
    return `${this.prefix}:turn:${topic}/${group}`;
  }
}
