// HalfMessages on Redis: each step is one frozen script call, because each changes what a second one would answer.
import {
  BrokerRefusedError,
  bucketOf,
  routeOf,
  SendUnknownError,
  type HalfAnswer,
  type HalfCheck,
  type HalfChecks,
  type HalfMessages,
  type HalfOwner,
  type HalfRef,
  type MqError,
  type OutgoingMessage,
  type ParkedHalf,
  type SendResult,
  type TakeChecksOptions,
} from '@millrace/core';
import { UnknownFate, type Caller } from './caller.js';
import type { DurableLanes } from './durable-lanes.js';
import { answerOf } from './half-answer.js';
import { commitCall, prepareCall, rollbackCall, type HalfCall } from './half-calls.js';
import { prepared } from './half-receipt.js';
import type { ShardKeys } from './keys.js';
import type { KnownTopic, Topics } from './topics.js';

type TakenRow = [messageId: string, checks: number, since: string, what: 'CHECK' | 'PARKED'];

export class RedisHalf implements HalfMessages {
  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
    private readonly lanes: DurableLanes,
    private readonly scheduled: (topic: string, shard: number, dueInMs: number) => void,
  ) {}

  async prepare(message: OutgoingMessage, owner: HalfOwner): Promise<SendResult> {
    const topic = this.topics.get(message.topic);
    const { settings, shards } = topic;
    const { shard, queue } = routeOf(message.routingKey, settings);
    const bucket = bucketOf(message.identity?.record ?? message.messageId, settings.delayBuckets);
    const call = prepareCall(message, owner, { shard: shards[shard]!, queue, bucket });
    try {
      let reply = await this.freeze(call, message);
      if (reply === 'NO_TOPIC') {
        await this.topics.redeclare(message.topic);
        reply = await this.freeze(call, message);
      }
      return prepared(message, reply, (shard * settings.queues) / settings.shards, queue);
    } catch (error) {
      if (!(error instanceof UnknownFate)) return { ok: false, error: error as MqError };
      const { messageId } = message;
      const retry = async (): Promise<string> => error.replay();
      return { ok: false, error: new SendUnknownError(messageId, retry, error.cause) };
    }
  }

  async commit(topic: string, ref: HalfRef): Promise<HalfAnswer> {
    const known = this.topics.get(topic);
    const { shard } = routeOf(ref.routingKey, known.settings);
    const answer = await this.decide(commitCall(known, known.shards[shard]!, ref.messageId, 'sender'), ref);
    if (answer.state === 'committed' && answer.dueAt) this.scheduled(topic, shard, answer.dueAt.getTime() - Date.now());
    return answer;
  }

  async rollback(topic: string, ref: HalfRef): Promise<HalfAnswer> {
    return this.decide(rollbackCall(this.shardOf(this.topics.get(topic), ref), ref.messageId, 'sender'), ref);
  }

  async takeChecks(topic: string, producerGroup: string, options: TakeChecksOptions): Promise<HalfChecks> {
    const checks: HalfCheck[] = [];
    const parked: ParkedHalf[] = [];
    let nextInMs: number | undefined;
    for (const shard of this.topics.get(topic).shards) {
      const want = options.max - checks.length;
      let dueInMs = await this.nextCheck(shard, producerGroup);
      if (dueInMs === 0 && want > 0) {
        for (const [messageId, count, since, what] of await this.take(shard, producerGroup, {
          ...options,
          max: want,
        })) {
          const of = { checks: count, since: new Date(Number(since)) };
          if (what === 'PARKED') parked.push({ messageId, ...of });
          else checks.push(...(await this.read(shard, messageId, of)));
        }
        dueInMs = await this.nextCheck(shard, producerGroup);
      }
      if (dueInMs !== undefined) nextInMs = Math.min(nextInMs ?? Infinity, dueInMs);
    }
    return { checks, parked, nextInMs };
  }

  private async nextCheck(shard: ShardKeys, producerGroup: string): Promise<number | undefined> {
    const reply = (await this.caller.run('next-check', [shard.halfChecks(producerGroup)], [])) as string;
    return reply === '' ? undefined : Number(reply);
  }

  private async take(shard: ShardKeys, producerGroup: string, options: TakeChecksOptions): Promise<TakenRow[]> {
    const { max, intervalMs, maxChecks } = options;
    const keys = [shard.halfChecks(producerGroup), shard.halfStates, shard.parkedHalves];
    const call: HalfCall = { script: 'take-checks', shard, keys, args: [max, intervalMs, maxChecks] };
    const reply = await this.sure(call, 'which half messages are checked is not known');
    return reply === 'OK' ? [] : (JSON.parse(reply.slice('OK'.length)) as TakenRow[]);
  }

  /** Nothing when it was decided since. */
  private async read(
    shard: ShardKeys,
    messageId: string,
    of: Pick<HalfCheck, 'checks' | 'since'>,
  ): Promise<HalfCheck[]> {
    const names = [shard.halves, shard.halfStates];
    const reply = (await this.caller.run('read-half', names, [messageId], 'buffer')) as Buffer[] | null;
    if (!reply) return [];
    const [routingKey, tag, orderingKey, meta, body] = reply;
    const message = { messageId, tag: tag!.toString(), orderingKey: orderingKey!.toString(), meta: meta!, body: body! };
    return [{ message, routingKey: routingKey!.toString(), ...of }];
  }

  private async decide(call: HalfCall, ref: HalfRef & Partial<OutgoingMessage>): Promise<HalfAnswer> {
    return answerOf(await this.sure(call, `what became of half message ${ref.messageId} is not known`, ref));
  }

  /** The answer of a frozen call; when none can be had at the deadline, the error says so. */
  private async sure(call: HalfCall, problem: string, message?: Partial<OutgoingMessage>): Promise<string> {
    try {
      return await this.freeze(call, message);
    } catch (error) {
      if (error instanceof UnknownFate) throw new BrokerRefusedError(problem, 'MQ_UNAVAILABLE', error.cause);
      throw error;
    }
  }

  private freeze(call: HalfCall, { durability }: Partial<OutgoingMessage> = {}): Promise<string> {
    const { script, shard, keys, args } = call;
    const lane = durability && this.lanes.of(shard.meta, durability);
    return this.caller.freeze(script, (slot) => shard.slot(slot), keys, args, lane);
  }

  private shardOf({ settings, shards }: KnownTopic, { routingKey }: HalfRef): ShardKeys {
    return shards[routeOf(routingKey, settings).shard]!;
  }
}
