// The stage of one case: a topic of its own, the processes that play on it, and short words for what they do.
import {
  queueOf,
  topicSpec,
  type BrokerPorts,
  type Delivery,
  type GroupSpec,
  type GroupStats,
  type PromoteResult,
  type SendReceipt,
  type TopicOptions,
  type TopicSpec,
} from '@millrace/core';
import type { ContractSubject } from './contract-subject.js';
import { eventually, type EventuallyOptions } from './eventually.js';
import { Member } from './member.js';
import { outgoing, type Draft } from './outgoing.js';

let scenes = 0;
let consumers = 0;

export type MemberOptions = Partial<Omit<GroupSpec, 'topic' | 'group'>> & { ports?: BrokerPorts };

export class Scene {
  readonly topic: string;
  readonly spec: TopicSpec;
  private readonly opened: BrokerPorts[] = [];

  private constructor(
    readonly subject: ContractSubject,
    options: Omit<TopicOptions, 'topic'>,
  ) {
    this.topic = `contract-${++scenes}`;
    this.spec = topicSpec({ topic: this.topic, ...options });
  }

  /** A new topic (one queue unless said otherwise, so that what is sent in order is received in order). */
  static async open(subject: ContractSubject, options: Omit<TopicOptions, 'topic'> = {}): Promise<Scene> {
    const scene = new Scene(subject, { queues: 1, ...options });
    await scene.process();
    return scene;
  }

  /** The first process. */
  get ports(): BrokerPorts {
    return this.opened[0]!;
  }

  /** One more process on the same storage. */
  async process(): Promise<BrokerPorts> {
    const ports = this.subject.ports();
    this.opened.push(ports);
    await ports.broker.declareTopic(this.spec);
    return ports;
  }

  async close(): Promise<void> {
    await Promise.all(this.opened.map(({ broker }) => broker.close()));
  }

  /** One more member of a group, in the first process unless said otherwise. Its lease outlasts every case. */
  async member(group: string, { ports = this.ports, ...options }: MemberOptions = {}): Promise<Member> {
    const subscription = await ports.broker.subscribe({
      topic: this.topic,
      group,
      mode: 'concurrent',
      consumer: `consumer-${++consumers}`,
      leaseMs: 30_000,
      startFrom: 'first',
      ...options,
    });
    return new Member(this.subject, ports, subscription);
  }

  /** Sends one batch and expects every message to be stored. */
  async send(...drafts: (Draft | string)[]): Promise<SendReceipt[]> {
    return this.sendFrom(this.ports, ...drafts);
  }

  async sendFrom(ports: BrokerPorts, ...drafts: (Draft | string)[]): Promise<SendReceipt[]> {
    const batch = drafts.map((draft) => outgoing(this.topic, typeof draft === 'string' ? { body: draft } : draft));
    return (await ports.broker.send(batch)).map((result) => {
      if (!result.ok) throw result.error;
      return result.receipt;
    });
  }

  /** One promote of every shard; the answers added up. */
  async promote(max = 100, ports = this.ports): Promise<PromoteResult> {
    let promoted = 0;
    let nextDueInMs: number | undefined;
    for (let shard = 0; shard < this.spec.shards; shard++) {
      const answer = await ports.broker.promote(this.topic, shard, { max });
      promoted += answer.promoted;
      if (answer.nextDueInMs !== undefined) nextDueInMs = Math.min(nextDueInMs ?? Infinity, answer.nextDueInMs);
    }
    return { promoted, nextDueInMs };
  }

  /** Promotes until so many messages have become ready in all. */
  async promoteUntil(count: number): Promise<void> {
    let promoted = 0;
    await this.eventually(`${count} messages are promoted`, async () => {
      promoted += (await this.promote()).promoted;
      return promoted >= count;
    });
  }

  async group(group: string): Promise<GroupStats> {
    const stats = (await this.ports.admin.stats(this.topic)).groups.find((row) => row.group === group);
    if (!stats) throw new Error(`stats of ${this.topic} do not list group ${group}`);
    return stats;
  }

  /** Makes a dead letter of each of the group's ready messages. */
  async bury(member: Member, reason: 'rejected' | 'undecodable' = 'rejected'): Promise<Delivery[]> {
    const deliveries = await member.drain();
    for (const delivery of deliveries) {
      await member.settle([delivery], { type: 'dead-letter', reason, text: 'no use', state: delivery.state });
      // Deaths in different ms: "newest first" has nothing to go by inside one.
      await this.subject.advance(2);
    }
    return deliveries;
  }

  /** An ordering key that is routed to this queue (over all shards). */
  keyOf(queue: number): string {
    for (let number = 0; ; number++) {
      if (queueOf(`key-${number}`, this.spec.queues) === queue) return `key-${number}`;
    }
  }

  eventually<T>(what: string, look: () => Promise<T | undefined | false>, options?: EventuallyOptions): Promise<T> {
    return eventually(this.subject, what, look, options);
  }
}
