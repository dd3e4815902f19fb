// Start, find and list long operations on dead letters, without any framework: what the Nest module wraps.
import {
  checkGroupName,
  checkTopicName,
  MqError,
  newMessageId,
  systemClock,
  type BrokerAdmin,
  type Clock,
} from '@millrace/core';
import { OperationKeys } from '@millrace/redis';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { OperationKind, OperationRecord, OperationSpec } from './operation.js';
import { OperationHandle } from './operation-handle.js';
import {
  checkedOptions,
  type ExportOperationOptions,
  type OperationOptions,
  type RedriveOperationOptions,
} from './operation-options.js';
import { OperationRunner } from './operation-runner.js';
import { OperationStore, type OperationQueue } from './operation-store.js';
import { clientOf, operationsSpec, type OperationsOptions, type OperationsSpec } from './operations-options.js';
import { defineTurnScripts } from './turn.js';

const QUEUE = 'operations';

interface Opened {
  readonly client: Redis;
  readonly queue: OperationQueue;
  readonly store: OperationStore;
}

export interface OperationsParts {
  /** `mq.admin`. */
  readonly admin: BrokerAdmin;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of errors in the background. @default none */
  onError?(error: unknown): void;
}

export class Operations {
  private readonly spec: OperationsSpec;
  private readonly clock: Clock;
  private opened?: Opened;
  private runner?: OperationRunner;
  private closed = false;

  /** Opens nothing before the first use. Throws InvalidOptionError. */
  constructor(
    options: OperationsOptions,
    private readonly parts: OperationsParts,
  ) {
    this.spec = operationsSpec(options);
    this.clock = parts.clock ?? systemClock;
  }

  /** Begins to run operations here, unless `run` is false. */
  start(): void {
    if (!this.spec.run || this.runner) return;
    const { client, queue, store } = this.open();
    defineTurnScripts(client);
    const { spec, clock, parts } = this;
    const keys = new OperationKeys(spec.namespace);
    const onError = (error: unknown): void => parts.onError?.(error);
    this.runner = new OperationRunner({ spec, clock, store, keys, client, queue, admin: parts.admin, onError });
  }

  /** Returns dead letters to their group only, each once, however often the operation is interrupted. */
  redrive(topic: string, group: string, options: RedriveOperationOptions = {}): Promise<OperationHandle> {
    return this.begin('redrive', topic, group, options);
  }

  /** Removes dead letters for good. */
  purge(topic: string, group: string, options: OperationOptions = {}): Promise<OperationHandle> {
    return this.begin('purge', topic, group, options);
  }

  /** Writes dead letters to a sink; they stay where they are. */
  export(topic: string, group: string, options: ExportOperationOptions): Promise<OperationHandle> {
    return this.begin('export', topic, group, options);
  }

  /** An operation of this or another process; undefined when it is not known any more. */
  async find(id: string): Promise<OperationHandle | undefined> {
    const { store } = this.open();
    return (await store.find(id)) ? new OperationHandle(id, store, this.clock) : undefined;
  }

  /** Operations that run, wait or have ended, newest first. @param options.limit @default 100 */
  list({ limit = 100 }: { limit?: number } = {}): Promise<OperationRecord[]> {
    return this.open().store.list(limit);
  }

  /** Ends after the batches under way; other processes go on. Idempotent. */
  async close(): Promise<void> {
    this.closed = true;
    await this.runner?.close();
    await this.opened?.queue.close();
    this.opened?.client.disconnect();
  }

  /** Everything is checked, and the broker asked for its time, before anything is stored. */
  private async begin(
    kind: OperationKind,
    topic: string,
    group: string,
    options: OperationOptions,
  ): Promise<OperationHandle> {
    checkTopicName(topic);
    checkGroupName(group);
    const checked = checkedOptions(kind, options);
    const { store } = this.open();
    const spec: OperationSpec = { kind, topic, group, ...checked, diedUntil: await this.parts.admin.now() };
    const id = newMessageId();
    await store.add(id, spec);
    return new OperationHandle(id, store, this.clock);
  }

  private open(): Opened {
    if (this.closed) throw new MqError('operations are closed', { code: 'MQ_CLOSED' });
    if (!this.opened) {
      const client = clientOf(this.spec.connection);
      const { prefix } = new OperationKeys(this.spec.namespace);
      const queue: OperationQueue = new Queue(QUEUE, {
        connection: client,
        prefix,
        // Progress is an event for BullMQ; nobody reads a long row of them.
        streams: { events: { maxLen: 100 } },
      });
      queue.on('error', (error) => this.parts.onError?.(error));
      this.opened = { client, queue, store: new OperationStore(queue) };
    }
    return this.opened;
  }
}
