// Runs operations in this process: BullMQ gives them out, renews the claim, and gives them to another process when this one
// falls silent.
import { randomUUID } from 'node:crypto';
import { InvalidOptionError, type BrokerAdmin, type Clock } from '@millrace/core';
import type { OperationKeys } from '@millrace/redis';
import { DelayedError, WaitingError, Worker, type Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { sinkOf, type ExportSink } from './export/export-sink.js';
import { FileSink } from './export/file-sink.js';
import type { OperationSpec } from './operation.js';
import { OperationRun } from './operation-run.js';
import {
  savedOf,
  specOf,
  type OperationJob,
  type OperationStore,
  type StoredOperation,
  type StoredResult,
} from './operation-store.js';
import type { OperationsSpec } from './operations-options.js';
import { Turn } from './turn.js';

/** An operation whose group is busy with another one looks again this often. */
const TURN_AGAIN_MS = 500;
/** So many groups are worked on side by side. */
const AT_ONCE = 10;
/** A process that dies again and again is no reason to give an operation up: it changes nothing twice. */
const NEVER = 1_000_000;

export interface RunnerParts {
  readonly spec: OperationsSpec;
  readonly admin: BrokerAdmin;
  readonly store: OperationStore;
  readonly keys: OperationKeys;
  readonly client: Redis;
  readonly clock: Clock;
  readonly queue: Pick<Queue, 'name' | 'opts'>;
  onError(error: unknown): void;
}

export class OperationRunner {
  private readonly worker: Worker<StoredOperation, StoredResult>;
  private closing = false;

  constructor(private readonly parts: RunnerParts) {
    const { spec, queue } = parts;
    this.worker = new Worker(queue.name, (job, token) => this.process(job, token!), {
      connection: queue.opts.connection,
      prefix: queue.opts.prefix,
      concurrency: AT_ONCE,
      lockDuration: spec.takeoverMs,
      stalledInterval: Math.ceil(spec.takeoverMs / 2),
      maxStalledCount: NEVER,
      removeOnComplete: { count: spec.history },
      removeOnFail: { count: spec.history },
    });
    this.worker.on('error', (error) => parts.onError(error));
  }

  /** Ends after the batches under way; what is not done another process goes on with. */
  async close(): Promise<void> {
    this.closing = true;
    await this.worker.close();
  }

  private async process(job: OperationJob, token: string): Promise<StoredResult> {
    const { parts } = this;
    const spec = specOf(job);
    const turn = new Turn(
      parts.client,
      parts.keys.turn(spec.topic, spec.group),
      job.id!,
      randomUUID(),
      parts.spec.takeoverMs,
    );
    if (!(await turn.take())) {
      await job.moveToDelayed(Date.now() + TURN_AGAIN_MS, token);
      throw new DelayedError();
    }
    const sink = spec.kind === 'export' ? this.sinkFor(spec, job.id!) : undefined;
    try {
      const run = new OperationRun({
        spec,
        sink,
        admin: parts.admin,
        clock: parts.clock,
        saved: savedOf(job),
        save: (progress) => job.updateProgress(progress),
        verdict: () => this.verdict(job.id!, turn),
      });
      const outcome = await run.run();
      if (outcome !== 'handed-back') return { state: outcome };
    } finally {
      if (sink instanceof FileSink) await sink.close();
      await turn.leave();
    }
    await job.moveToWait(token);
    throw new WaitingError();
  }

  private async verdict(id: string, turn: Turn): Promise<'go-on' | 'stop' | 'hand-back'> {
    if (this.closing) return 'hand-back';
    if (!(await turn.keep())) throw new Error('another process goes on with this operation, or this one was frozen');
    return (await this.parts.store.wantsStop(id)) ? 'stop' : 'go-on';
  }

  private sinkFor({ to }: OperationSpec, operationId: string): ExportSink {
    if (typeof to === 'object') return new FileSink(to.file);
    const { sinks } = this.parts.spec;
    if (to !== undefined && Object.hasOwn(sinks, to)) return sinkOf(sinks[to]!, operationId);
    const known = Object.keys(sinks).join(', ') || 'none';
    throw new InvalidOptionError('export.to', to, `is no sink of this process; known: ${known}`);
  }
}
