// Sends: messages of one shard are frozen into one script call, whatever they carry.
import {
  bucketOf,
  shareOf,
  topicFull,
  IdempotencyConflictError,
  routeOf,
  SendUnknownError,
  type DurabilityLevel,
  type MqError,
  type OutgoingMessage,
  type SendReceipt,
  type SendResult,
  type TopicSettings,
} from '@millrace/core';
import { UnknownFate, type Caller } from './caller.js';
import { Coalescer } from './coalescer.js';
import { levelName, type DurableLanes } from './durable-lanes.js';
import { headerOf } from './entry-codec.js';
import type { ShardKeys } from './keys.js';
import type { ScriptArgument } from './scripts.js';
import type { KnownTopic, Topics } from './topics.js';

interface Routed {
  readonly message: OutgoingMessage;
  /** Queue inside the shard. */
  readonly queue: number;
  readonly bucket: number;
  readonly coalescer: Coalescer<Routed, SendResult>;
}

type Note =
  | [index: number, 'SCHEDULED', due: string]
  | [number, 'DUPLICATE', id: string, due: string, queue: string]
  | [number, 'CONFLICT', id: string]
  | [number, 'FULL'];

/** Bytes: with twice as many sending texts of 1 KiB took a tenth longer, it seems because V8 keeps texts above 128 KiB apart. */
const PER_CALL = { maxItems: 128, maxBytes: 128 * 1024, maxCalls: 4 };
/** A proof takes long, up to a second where the disk is synced once a second: more calls share one. */
const PROVEN_CALLS = 16;
/** Before the arguments of a message that is delayed or has a record. */
const EXTENDED = 'x';
/** Room for ids, names and lengths of one message beside its body. */
const OVERHEAD_BYTES = 256;

export class Sender {
  private readonly coalescers = new Map<string, Coalescer<Routed, SendResult>[]>();

  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
    private readonly lanes: DurableLanes,
    private readonly scheduled: (topic: string, shard: number, dueInMs: number) => void,
  ) {}

  send(batch: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const routed = batch.map((message) => this.route(message));
    const first = routed[0];
    if (!first) return Promise.resolve([]);
    const { coalescer } = first;
    // The usual case: everything goes to one shard.
    if (routed.every((other) => other.coalescer === coalescer)) return coalescer.addAll(routed);
    return this.sendApart(routed);
  }

  /** To several shards, topics or durability levels. */
  private async sendApart(routed: readonly Routed[]): Promise<SendResult[]> {
    const places = new Map<Coalescer<Routed, SendResult>, number[]>();
    for (const [index, { coalescer }] of routed.entries()) {
      const place = places.get(coalescer);
      if (place) place.push(index);
      else places.set(coalescer, [index]);
    }
    const results: SendResult[] = [];
    await Promise.all(
      [...places].map(async ([coalescer, indexes]) => {
        const part = await coalescer.addAll(indexes.map((index) => routed[index]!));
        for (const [at, index] of indexes.entries()) results[index] = part[at]!;
      }),
    );
    return results;
  }

  private route(message: OutgoingMessage): Routed {
    const { settings } = this.topics.get(message.topic);
    const { shard, queue } = routeOf(message.routingKey, settings);
    // With a record the bucket follows the key, so that a second send looks where the first one lies.
    const bucket =
      message.due || message.identity
        ? bucketOf(message.identity?.record ?? message.messageId, settings.delayBuckets)
        : 0;
    return { message, queue, bucket, coalescer: this.coalescer(message.topic, shard, message.durability) };
  }

  private coalescer(topic: string, shard: number, level: DurabilityLevel | undefined): Coalescer<Routed, SendResult> {
    const name = level ? `${topic} ${levelName(level)}` : topic;
    let ofTopic = this.coalescers.get(name);
    if (!ofTopic) this.coalescers.set(name, (ofTopic = []));
    return (ofTopic[shard] ??= new Coalescer(
      {
        ...PER_CALL,
        ...(level && { maxCalls: PROVEN_CALLS }),
        bytesOf: ({ message }) => message.body.length + OVERHEAD_BYTES,
        ordered: ({ message }) => message.orderingKey !== '',
      },
      (items) => this.call(this.topics.get(topic), shard, items, level),
    ));
  }

  private async call(
    topic: KnownTopic,
    shard: number,
    items: Routed[],
    level: DurabilityLevel | undefined,
  ): Promise<SendResult[]> {
    const { keys, args } = new FrozenSend(topic, shard, items);
    const script = topic.settings.maxLength === undefined ? 'send' : 'send-bounded';
    const lane = level && this.lanes.of(topic.shards[shard]!.meta, level);
    const ask = (): Promise<string> => {
      const shardKeys = topic.shards[shard]!;
      return this.caller.freeze(script, (slot) => shardKeys.slot(slot), keys, args, lane);
    };
    return this.answered(topic, shard, items, ask, ask);
  }

  /**
   * The results of a call.
   * @param ask the first time, or a replay under the same token
   * @param anew freezes the call once more: for a topic that was lost, where nothing of the call was kept
   */
  private async answered(
    topic: KnownTopic,
    shard: number,
    items: Routed[],
    ask: () => Promise<string>,
    anew: () => Promise<string>,
  ): Promise<SendResult[]> {
    try {
      let reply = await ask();
      if (reply === 'NO_TOPIC') {
        await this.topics.redeclare(topic.settings.topic);
        reply = await anew();
      }
      return this.results(topic, shard, items, reply);
    } catch (error) {
      if (!(error instanceof UnknownFate)) return items.map(() => ({ ok: false, error: error as MqError }));
      // One replay answers for all messages of the call, however many of them are asked for at once: a replay carries
      // them all, so one for each would grow with their square.
      let replay: Promise<SendResult[]> | undefined;
      const replayed = (): Promise<SendResult[]> =>
        (replay ??= this.answered(topic, shard, items, error.replay, anew).finally(() => (replay = undefined)));
      return items.map(({ message }, index) => {
        const retry = async (): Promise<SendReceipt> => {
          const result = (await replayed())[index]!;
          if (result.ok) return result.receipt;
          throw result.error;
        };
        return { ok: false, error: new SendUnknownError(message.messageId, retry, error.cause) };
      });
    }
  }

  private results(topic: KnownTopic, shard: number, items: Routed[], reply: string): SendResult[] {
    const first = (shard * topic.settings.queues) / topic.settings.shards;
    const name = topic.settings.topic;
    const results = items.map(({ message, queue }): SendResult => ({
      ok: true,
      receipt: { messageId: message.messageId, topic: name, queue: first + queue, duplicate: false, state: 'accepted' },
    }));
    if (reply.length === 2) return results;
    for (const note of JSON.parse(reply.slice(2)) as Note[]) {
      const { message, queue } = items[note[0]]!;
      const receipt = { messageId: message.messageId, topic: name, queue: first + queue };
      if (note[1] === 'FULL') {
        results[note[0]] = { ok: false, error: topicFull(topic.settings) };
      } else if (note[1] === 'CONFLICT') {
        results[note[0]] = { ok: false, error: new IdempotencyConflictError(name, message.identity!.key, note[2]) };
      } else if (note[1] === 'SCHEDULED') {
        results[note[0]] = { ok: true, receipt: { ...receipt, duplicate: false, ...dueState(note[2]) } };
        if (message.due)
          this.scheduled(
            name,
            shard,
            'delayMs' in message.due ? message.due.delayMs : message.due.atMs - this.caller.now(),
          );
      } else {
        const of = { ...receipt, messageId: note[2], queue: first + Number(note[4]) };
        results[note[0]] = { ok: true, receipt: { ...of, duplicate: true, ...dueState(note[3]) } };
      }
    }
    return results;
  }
}

export function dueState(due: string): Pick<SendReceipt, 'state' | 'dueAt'> {
  if (due === 'half') return { state: 'half' };
  return due === '' ? { state: 'accepted' } : { state: 'scheduled', dueAt: new Date(Number(due)) };
}

/** Keys and arguments of one `send.lua` call; each key is named once and then spoken of by its position. */
class FrozenSend {
  readonly keys: string[];
  readonly args: ScriptArgument[];
  private readonly positions = new Map<string, number>();

  constructor(topic: KnownTopic, shard: number, items: readonly Routed[]) {
    const shardKeys = topic.shards[shard]!;
    this.keys = [shardKeys.meta];
    this.args = [topic.settings.idempotencyWindowMs];
    if (topic.settings.maxLength !== undefined) this.args.push(boundOf(topic.settings, shardKeys));
    for (const { message, queue, bucket } of items) {
      const { due, identity } = message;
      const stream = this.position(shardKeys.queue(queue));
      if (due || identity) {
        const zset = this.position(shardKeys.delayed(bucket));
        this.position(shardKeys.delayedPayloads(bucket));
        this.args.push(EXTENDED, stream, zset, bucket, queue, due ? dueText(due) : '');
        if (identity)
          this.args.push(this.position(shardKeys.record(identity.record)), identity.record, identity.digest);
        else this.args.push('', '', '');
        const { messageId, tag, orderingKey, meta } = message;
        this.args.push(messageId, tag, orderingKey, meta);
      } else this.args.push(stream, headerOf(message));
      this.args.push(message.body);
    }
  }

  /** Position in the script's KEYS: the slot comes first, then `keys`. */
  private position(key: string): number {
    let position = this.positions.get(key);
    if (position === undefined) {
      this.keys.push(key);
      this.positions.set(key, (position = this.keys.length + 1));
    }
    return position;
  }
}

/** What bounded.lua needs to know. */
function boundOf({ maxLength, onFull, queues, shards }: TopicSettings, keys: ShardKeys): string {
  return JSON.stringify({ limit: shareOf(maxLength!, shards), onFull, names: keys.backlogNames(queues / shards) });
}

export function dueText(due: { delayMs: number } | { atMs: number }): string {
  return 'delayMs' in due ? `+${due.delayMs}` : String(due.atMs);
}
