// What one holds of an operation; any process can get one by its id.
import { MqError, type Clock } from '@millrace/core';
import type { OperationProgress, OperationRecord } from './operation.js';
import type { OperationStore } from './operation-store.js';

const LOOK_EVERY_MS = 100;

export class OperationHandle {
  constructor(
    readonly id: string,
    private readonly store: OperationStore,
    private readonly clock: Clock,
  ) {}

  /** Everything that is known of it. Throws MqError `MQ_OPERATION_NOT_FOUND` when it left the history. */
  async record(): Promise<OperationRecord> {
    const record = await this.store.find(this.id);
    if (!record) throw new MqError(`there is no operation ${this.id}`, { code: 'MQ_OPERATION_NOT_FOUND' });
    return record;
  }

  async progress(): Promise<OperationProgress> {
    const { state, total, done, quarantined, gone } = await this.record();
    return { state, total, done, quarantined, gone };
  }

  /** Asks it to stop: at most the batch under way is still done. `done` resolves when it has. */
  async stop(): Promise<void> {
    const { state } = await this.record();
    if (state === 'waiting' || state === 'running') await this.store.setStop(this.id, true);
  }

  /** Goes on where it stopped or failed, with the same letters in mind. Without effect while it runs or when it is done. */
  async resume(): Promise<void> {
    let { state } = await this.record();
    while (state === 'stopping') {
      await this.clock.wait(LOOK_EVERY_MS);
      ({ state } = await this.record());
    }
    if (state !== 'stopped' && state !== 'failed') return;
    await this.store.setStop(this.id, false);
    // One that nobody has taken up yet only had to be told.
    const { endedAt } = await this.record();
    if (endedAt !== undefined) await this.store.again(this.id, state === 'failed' ? 'failed' : 'completed');
  }

  /**
   * Resolves when it is done or has stopped (`state` says which). Rejects with MqError `MQ_OPERATION_FAILED` when it failed.
   */
  get done(): Promise<OperationRecord> {
    return this.ended();
  }

  private async ended(): Promise<OperationRecord> {
    for (;;) {
      const record = await this.record();
      const { state, error } = record;
      if (state === 'done' || state === 'stopped') return record;
      if (state === 'failed')
        throw new MqError(`operation ${this.id}: ${error}`, { code: 'MQ_OPERATION_FAILED', retriable: true });
      await this.clock.wait(LOOK_EVERY_MS);
    }
  }
}
