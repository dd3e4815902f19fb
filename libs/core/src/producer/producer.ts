// Sends messages: checks, identifies and encodes them, then hands them to the broker, which coalesces.
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';
import type { DelayLevels } from '../delay/delay-levels.js';
import { dueOf, type DueOptions } from '../delay/due-time.js';
import type { Duration } from '../duration.js';
import type { LocalTransaction, TransactionReceipt } from '../half/local-transaction.js';
import type { LocalTransactions } from '../half/local-transactions.js';
import type { TransactionListeners } from '../half/transaction-listeners.js';
import { splitOptions, type TransactionOptions } from '../half/transaction-options.js';
import { BrokerRefusedError, ClosedError, InvalidOptionError, MqError } from '../errors.js';
import { parseDestination, type Destination } from '../message/destination.js';
import type { OutgoingMessage } from '../message/message.js';
import { checkOptions } from '../option-check.js';
import type { TopicEntry, TopicRegistry } from '../topic-registry.js';
import { checkTopicName } from '../topic.js';
import type { DurabilityLevel } from './durability.js';
import { checkRef } from './message-ref.js';
import { buildMessage } from './prepare-message.js';
import type { CancelResult, MessageRef, RescheduleResult, SendReceipt, SendResult } from './receipt.js';
import type { SendOptions, SendRequest } from './send-options.js';

interface Target extends Destination {
  readonly entry: TopicEntry;
}

export interface ProducerParts {
  readonly broker: Broker;
  readonly topics: TopicRegistry;
  readonly clock: Clock;
  readonly delayLevels: DelayLevels;
  /** Of messages that do not say. */
  readonly durability?: DurabilityLevel;
  /** Absent where the broker has no half messages. */
  readonly transactions?: { readonly local: LocalTransactions; readonly listeners: TransactionListeners };
}

const REQUEST = ['destination', 'body', 'options'];
/** Bounds the memory of an application that puts ids into its tags. */
const MAX_TARGETS = 10_000;

export class Producer {
  /** Parsed destinations: a name is checked once, not with every send. */
  private readonly targets = new Map<string, Target>();
  private closed = false;

  constructor(private readonly parts: ProducerParts) {}

  /**
   * Stores one message. Resolves when the broker has it; messages of one caller keep their order.
   * @param destination `topic` or `topic:tag`
   * @param body any JSON value or a Buffer, at most 4 MiB
   * @throws InvalidOptionError bad input; nothing was stored
   * @throws IdempotencyConflictError the idempotency key is known with another body; nothing was stored
   * @throws SendUnknownError it is not known whether it was stored; its `retry()` settles that
   * @throws BrokerRefusedError | TopicError | ClosedError nothing was stored
   */
  async send(destination: string, body: unknown, options?: SendOptions): Promise<SendReceipt> {
    if (this.closed) throw new ClosedError('producer');
    const target = this.target(destination);
    if (!target.entry.isReady) return receiptOf((await this.sendAll([{ destination, body, options }]))[0]!);
    const results = await this.parts.broker.send([this.build(target, body, options)]);
    return receiptOf(results[0]!);
  }

  /**
   * Stores many messages; one result per request, order kept. A message that is refused does not refuse its
   * neighbours, but bad input does.
   * @throws InvalidOptionError some request is bad; nothing was stored
   */
  async sendAll(requests: readonly SendRequest[]): Promise<SendResult[]> {
    if (this.closed) throw new ClosedError('producer');
    if (!Array.isArray(requests)) throw new InvalidOptionError('sendAll', requests, 'must be a list of requests');
    const targets = requests.map((request) => this.requestTarget(request));
    // Built before anything waits: bad input throws at once, and what the caller changes later is not sent.
    const messages = requests.map(({ body, options }, index) => this.build(targets[index]!, body, options));
    if (targets.every(({ entry }) => entry.isReady)) return this.parts.broker.send(messages);
    const lines = [...new Set(targets.map(({ entry }) => entry))].map((entry) => entry.enterLine());
    try {
      for (const [index, { options }] of requests.entries())
        if (this.mayBeTooFar(targets[index]!.topic, options)) await this.refuseTooFar(targets[index]!.topic, options);
      const failed = await this.declareAll(targets);
      for (const line of lines) await line.turn;
      if (this.closed) throw new ClosedError('producer');
      requests.forEach(({ options }, index) => this.checkDelay(targets[index]!, options));
      const sending = this.sendDeclared(messages, failed);
      // It has left: who stands behind may go, without waiting for the answer.
      for (const line of lines) line.leave();
      return await sending;
    } finally {
      for (const line of lines) line.leave();
    }
  }

  /**
   * Stores a half message, which no group sees, then runs `transaction` and delivers or removes the message as it says
   * (RocketMQ's `sendMessageInTransaction`). When it says `unknown` or throws, or when this process dies, a transaction listener
   * of the producer group is asked instead. May be delayed, keyed and ordered: a delay counts from the commit, and so does
   * the order. A second call under a known business key runs nothing and gives `duplicate: true`.
   * @throws what `transaction` throws; the half message stays and is checked
   * @throws MqError `MQ_HALF_PARKED` | `MQ_HALF_SETTLED` the decision came too late: an operator, or a check, was first
   * @throws InvalidOptionError bad input, or no transaction listener for it in this process; nothing was stored or run
   * @throws IdempotencyConflictError | BrokerRefusedError | TopicError | ClosedError the transaction was not run
   */
  async sendInTransaction(
    destination: string,
    body: unknown,
    transaction: LocalTransaction,
    options?: TransactionOptions,
  ): Promise<TransactionReceipt> {
    if (this.closed) throw new ClosedError('producer');
    const { topics, transactions } = this.parts;
    if (typeof transaction !== 'function')
      throw new InvalidOptionError('sendInTransaction.localTransaction', transaction, 'must be a function');
    if (!transactions)
      throw new InvalidOptionError('sendInTransaction', destination, 'the broker has no half messages');
    const { send, producerGroup, checkAfter } = splitOptions(options);
    const target = this.target(destination);
    const owner = transactions.listeners.ownerOf(target.topic, producerGroup, checkAfter);
    const message = this.build(target, body, send);
    if (this.mayBeTooFar(target.topic, send)) await this.refuseTooFar(target.topic, send ?? {});
    await topics.declare(target.topic);
    if (this.closed) throw new ClosedError('producer');
    this.checkDelay(target, send);
    transactions.listeners.expect(target.topic, owner);
    return transactions.local.run(message, owner, transaction);
  }

  /** Removes a message that is still scheduled; the answer is final. Throws InvalidOptionError for a bad reference. */
  async cancel(topic: string, ref: MessageRef): Promise<CancelResult> {
    await this.use(topic, ref);
    return this.parts.broker.cancel(topic, ref);
  }

  /**
   * Moves the due time of a message that is still scheduled; a past instant means now.
   * Throws InvalidOptionError for a bad reference or due time.
   */
  async reschedule(
    topic: string,
    ref: MessageRef,
    due: { delay?: Duration; deliverAt?: Date },
  ): Promise<RescheduleResult> {
    checkOptions('reschedule', due, ['delay', 'deliverAt']);
    if (due.delay === undefined && due.deliverAt === undefined)
      throw new InvalidOptionError('reschedule', due, "needs 'delay' or 'deliverAt'");
    dueOf(due, { maxDelayMs: Infinity, now: 0 }, 'reschedule');
    this.checkUse(topic, ref);
    if (this.mayBeTooFar(topic, due)) await this.refuseTooFar(topic, due, 'reschedule');
    const { maxDelayMs } = await this.use(topic, ref);
    const at = dueOf(due, { maxDelayMs, now: this.parts.clock.now() }, 'reschedule');
    return this.parts.broker.reschedule(topic, ref, at ?? { delayMs: 0 });
  }

  /** Later calls are refused. What is under way is answered. */
  close(): void {
    this.closed = true;
  }

  private async use(topic: string, ref: MessageRef): Promise<{ maxDelayMs: number }> {
    this.checkUse(topic, ref);
    const settings = await this.parts.topics.declare(topic);
    if (this.closed) throw new ClosedError('producer');
    return settings;
  }

  private checkUse(topic: string, ref: MessageRef): void {
    if (this.closed) throw new ClosedError('producer');
    checkTopicName(topic);
    checkRef(ref);
  }

  /** Whether a topic that is not known yet would refuse the delay if it were as code has it. */
  private mayBeTooFar(topic: string, options: DueOptions | undefined): boolean {
    const { clock, delayLevels, topics } = this.parts;
    if (!options || topics.entry(topic).settings) return false;
    try {
      dueOf(options, { delayLevels, maxDelayMs: topics.expectedMaxDelayMs(topic), now: clock.now() });
      return false;
    } catch {
      return true;
    }
  }

  /** Asked without creating the topic: a call that is refused for its delay stores nothing. */
  private async refuseTooFar(topic: string, options: DueOptions, path?: string): Promise<void> {
    const { clock, delayLevels, topics } = this.parts;
    // A broker that cannot answer is told of by the declaration that follows.
    const maxDelayMs = await topics.maxDelayMs(topic).catch(() => Infinity);
    dueOf(options, { delayLevels, maxDelayMs, now: clock.now() }, path);
  }

  private build(target: Target, body: unknown, options: SendOptions | undefined): OutgoingMessage {
    const { clock, delayLevels, durability } = this.parts;
    // Settings that are not known yet: `checkDelay` looks again.
    const maxDelayMs = target.entry.settings?.maxDelayMs ?? Infinity;
    return buildMessage(target, body, options, maxDelayMs, clock.now(), delayLevels, durability);
  }

  private target(destination: string): Target {
    const known = this.targets.get(destination);
    if (known) return known;
    const parsed = parseDestination(destination);
    const target = { ...parsed, entry: this.parts.topics.entry(parsed.topic) };
    if (this.targets.size >= MAX_TARGETS) this.targets.clear();
    this.targets.set(destination, target);
    return target;
  }

  private requestTarget(request: SendRequest): Target {
    if (typeof request !== 'object' || request === null) checkOptions('sendAll', request, REQUEST);
    for (const name in request) if (!REQUEST.includes(name)) checkOptions('sendAll', request, REQUEST);
    return this.target(request.destination);
  }

  /** Now that the settings are known: is a delay within the topic's limit? */
  private checkDelay({ entry }: Target, options: SendOptions | undefined): void {
    if (!options || !entry.settings) return;
    const { clock, delayLevels } = this.parts;
    dueOf(options, { delayLevels, maxDelayMs: entry.settings.maxDelayMs, now: clock.now() });
  }

  private async sendDeclared(
    messages: readonly OutgoingMessage[],
    failed: ReadonlyMap<string, MqError>,
  ): Promise<SendResult[]> {
    const declared = messages.filter(({ topic }) => !failed.has(topic));
    const sent = declared.length > 0 ? await this.parts.broker.send(declared) : [];
    let next = 0;
    return messages.map(({ topic }) => {
      const error = failed.get(topic);
      return error ? { ok: false, error } : sent[next++]!;
    });
  }

  /** Why topics could not be declared, by name: their messages are refused, the others go. */
  private async declareAll(targets: readonly Target[]): Promise<Map<string, MqError>> {
    const failed = new Map<string, MqError>();
    const declare = async (topic: string): Promise<void> => {
      await this.parts.topics.declare(topic).catch((error: unknown) => failed.set(topic, asMqError(error)));
    };
    await Promise.all([...new Set(targets.map(({ topic }) => topic))].map(declare));
    return failed;
  }
}

function receiptOf(result: SendResult): SendReceipt {
  if (result.ok) return result.receipt;
  throw result.error;
}

function asMqError(error: unknown): MqError {
  if (error instanceof MqError) return error;
  return new BrokerRefusedError(error instanceof Error ? error.message : String(error), 'MQ_UNAVAILABLE', error);
}
