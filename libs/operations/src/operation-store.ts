// Operations as BullMQ keeps them: what was asked for in its data, where the run is in its progress. Two fields, because
// the one is written by whoever stops and resumes, the other by whoever runs.
import { type Job, type Queue } from 'bullmq';
import type { OperationRecord, OperationSpec, OperationState } from './operation.js';
import { NOTHING_DONE, type SavedProgress } from './saved-progress.js';

/** What is stored of an operation. Dates of the filter are ISO texts there. */
export interface StoredOperation {
  readonly spec: OperationSpec;
  /** Somebody wants it to stop. */
  readonly stop: boolean;
}

export type StoredResult = { readonly state: 'done' | 'stopped' };
export type OperationJob = Job<StoredOperation, StoredResult>;
export type OperationQueue = Queue<OperationJob>;

/** After ten minutes of errors an operation has failed; until then each is followed by another try. */
const TRIES = { attempts: 120, backoff: { type: 'fixed', delay: 5_000 } } as const;
const LISTED = ['active', 'waiting', 'delayed', 'completed', 'failed'] as const;

export class OperationStore {
  constructor(readonly queue: OperationQueue) {}

  async add(id: string, spec: OperationSpec): Promise<void> {
    await this.queue.add(spec.kind, { spec, stop: false }, { jobId: id, ...TRIES });
  }

  async find(id: string): Promise<OperationRecord | undefined> {
    const job = await this.queue.getJob(id);
    return job && recordOf(job);
  }

  /** Newest first. */
  async list(limit: number): Promise<OperationRecord[]> {
    const jobs = await this.queue.getJobs([...LISTED], 0, limit - 1, false);
    const newest = jobs.filter(Boolean).toSorted((a, b) => b.timestamp - a.timestamp);
    return Promise.all(newest.slice(0, limit).map(recordOf));
  }

  async wantsStop(id: string): Promise<boolean> {
    return (await this.queue.getJob(id))?.data.stop ?? true;
  }

  async setStop(id: string, stop: boolean): Promise<void> {
    const job = await this.queue.getJob(id);
    await job?.updateData({ ...job.data, stop });
  }

  /** Lets an operation that has ended run again from where it was. */
  async again(id: string, from: 'completed' | 'failed'): Promise<void> {
    const job = await this.queue.getJob(id);
    await job?.retry(from, { resetAttemptsMade: true });
  }
}

/** As it was when it was stored: dates are dates again. */
export function specOf(job: OperationJob): OperationSpec {
  const { spec } = job.data;
  const { diedFrom, diedBefore, ...filter } = spec.filter;
  return {
    ...spec,
    filter: {
      ...filter,
      ...(diedFrom === undefined ? {} : { diedFrom: new Date(diedFrom) }),
      ...(diedBefore === undefined ? {} : { diedBefore: new Date(diedBefore) }),
    },
  };
}

export function savedOf(job: OperationJob): SavedProgress | undefined {
  return typeof job.progress === 'object' ? (job.progress as SavedProgress) : undefined;
}

async function recordOf(job: OperationJob): Promise<OperationRecord> {
  const { kind, topic, group, filter, dryRun } = specOf(job);
  const { total, done, quarantined, gone, ranMs } = savedOf(job) ?? NOTHING_DONE;
  const state = stateOf(await job.getState(), job);
  return {
    id: job.id!,
    kind,
    topic,
    group,
    filter,
    dryRun,
    state,
    total,
    done,
    quarantined,
    gone,
    ranMs,
    createdAt: new Date(job.timestamp),
    endedAt: job.finishedOn === undefined ? undefined : new Date(job.finishedOn),
    error: state === 'failed' ? job.failedReason : undefined,
  };
}

function stateOf(state: string, job: OperationJob): OperationState {
  if (state === 'completed') return job.returnvalue?.state ?? 'done';
  if (state === 'failed') return 'failed';
  if (state === 'active') return job.data.stop ? 'stopping' : 'running';
  // It is told to stop before anybody began: whoever takes it up will only note that.
  return job.data.stop ? 'stopped' : 'waiting';
}
