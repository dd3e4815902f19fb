// One run of an operation, from where the last one ended to the end, a stop, or the end of this process. Knows nothing of
// what starts it. Every step may be the last one: what matters is saved before, and what is done twice has no second effect.
import type { BrokerAdmin, Clock, DeadLetterQuery, DeadLetterSummary } from '@millrace/core';
import { Exporter } from './export/exporter.js';
import type { ExportSink } from './export/export-sink.js';
import type { OperationSpec } from './operation.js';
import { Pace } from './pace.js';
import { NOTHING_DONE, type SavedProgress } from './saved-progress.js';

export interface RunParts {
  readonly spec: OperationSpec;
  readonly admin: BrokerAdmin;
  readonly clock: Clock;
  /** Export: where the letters go. */
  readonly sink?: ExportSink;
  readonly saved?: SavedProgress;
  save(progress: SavedProgress): Promise<void>;
  /** Asked before every batch: whether to go on. Throws when another process has taken the operation over. */
  verdict(): Promise<'go-on' | 'stop' | 'hand-back'>;
}

/** `handed-back`: this process ends, another one goes on. */
export type RunOutcome = 'done' | 'stopped' | 'handed-back';

/** As the broker has it: after this many redrives a letter stays unless forced. */
const QUARANTINE_AFTER = 3;
const COUNTED_AT_ONCE = 1000;
const REDRIVEN_PER_PAGE = 100;
const EXPORTED_PER_PAGE = 20;
/** A slow pace is no reason to hear of a stop late. */
const LONGEST_WAIT_MS = 500;

export class OperationRun {
  private progress: SavedProgress;
  private readonly pace: Pace;
  private readonly exporter?: Exporter;
  private readonly startedAt: number;
  private readonly ranBeforeMs: number;

  constructor(private readonly parts: RunParts) {
    this.progress = parts.saved ?? NOTHING_DONE;
    this.ranBeforeMs = this.progress.ranMs;
    this.startedAt = parts.clock.monotonic();
    this.pace = new Pace(parts.spec.rate, parts.clock);
    if (parts.sink) this.exporter = new Exporter(parts.spec, parts.admin, parts.sink);
  }

  get result(): SavedProgress {
    return this.progress;
  }

  async run(): Promise<RunOutcome> {
    const { spec } = this.parts;
    await this.clockIsPast(spec.diedUntil);
    const ended = (await this.count()) ?? (spec.dryRun ? 'done' : await this.work());
    if (ended === 'done' && !spec.dryRun) await this.exporter?.end(this.progress.written);
    await this.save({ intent: undefined });
    return ended;
  }

  /** What dies again must not die in the very ms until which letters are ours. */
  private async clockIsPast(instant: number): Promise<void> {
    const { admin, clock } = this.parts;
    while ((await admin.now()) <= instant) await clock.wait(1);
  }

  /** How many are meant. Begun anew when it was interrupted: it changes nothing. */
  private async count(): Promise<RunOutcome | undefined> {
    if (this.progress.total !== undefined) return undefined;
    let [total, quarantined] = [0, 0];
    let cursor: string | undefined;
    do {
      const ended = await this.ended();
      if (ended) return ended;
      const page = await this.list({ cursor, limit: COUNTED_AT_ONCE });
      const free = page.letters.filter((letter) => this.isFree(letter));
      total += free.length;
      quarantined += page.letters.length - free.length;
      cursor = page.cursor;
    } while (cursor !== undefined);
    await this.save({ total, quarantined });
    return undefined;
  }

  private async work(): Promise<RunOutcome> {
    await this.settleIntent();
    const limit = this.exporter ? Math.min(EXPORTED_PER_PAGE, this.pace.batch) : REDRIVEN_PER_PAGE;
    do {
      const page = await this.list({ cursor: this.progress.cursor, limit });
      const ended = await this.page(page.letters.filter((letter) => this.isFree(letter)));
      if (ended) return ended;
      this.progress = { ...this.progress, cursor: page.cursor };
      if (this.exporter) await this.save({ written: this.exporter.written });
    } while (this.progress.cursor !== undefined);
    return 'done';
  }

  private async page(letters: readonly DeadLetterSummary[]): Promise<RunOutcome | undefined> {
    for (let at = 0; at === 0 || at < letters.length; at += this.pace.batch) {
      const batch = letters.slice(at, at + this.pace.batch);
      const ended = await this.turn();
      if (ended) return ended;
      if (batch.length === 0) return undefined;
      if (this.exporter) this.add(batch.length, await this.exporter.write(batch, this.progress.written));
      else await this.act(batch.map(({ name }) => name));
      this.pace.spent(batch.length);
    }
    return undefined;
  }

  private async act(names: readonly string[]): Promise<void> {
    await this.save({ intent: names });
    this.add(names.length, await this.doTo(names));
    this.progress = { ...this.progress, intent: undefined };
  }

  /**
   * What a killed run was about to do is done now. Whatever is then no longer among the dead letters that are ours was done
   * by it: one death ends once, whoever asks.
   */
  private async settleIntent(): Promise<void> {
    const { intent } = this.progress;
    if (intent === undefined || intent.length === 0) return;
    const { topic, group, diedUntil } = this.parts.spec;
    await this.doTo(intent);
    const left = await Promise.all(intent.map((name) => this.parts.admin.deadLetter(topic, group, name)));
    const stayed = left.filter((letter) => letter !== undefined && letter.deadAt.getTime() <= diedUntil).length;
    this.add(intent.length - stayed, intent.length - stayed);
    await this.save({ intent: undefined });
  }

  private async doTo(names: readonly string[]): Promise<number> {
    const { kind, topic, group, force, diedUntil } = this.parts.spec;
    const until = new Date(diedUntil);
    if (kind === 'purge') return this.parts.admin.purgeDeadLetters(topic, group, names, { diedUntil: until });
    const which = { messageIds: names, force, diedUntil: until };
    return (await this.parts.admin.redrive(topic, group, which)).length;
  }

  /** Waits until the next batch may go; says whether it still should. */
  private async turn(): Promise<RunOutcome | undefined> {
    for (;;) {
      const ended = await this.ended();
      const waitMs = this.pace.dueInMs();
      if (ended || waitMs === 0) return ended;
      await this.parts.clock.wait(Math.min(waitMs, LONGEST_WAIT_MS));
      if (waitMs <= LONGEST_WAIT_MS && this.pace.dueInMs() === 0) return undefined;
    }
  }

  private async ended(): Promise<RunOutcome | undefined> {
    const verdict = await this.parts.verdict();
    if (verdict === 'go-on') return undefined;
    return verdict === 'stop' ? 'stopped' : 'handed-back';
  }

  private list(query: DeadLetterQuery): ReturnType<BrokerAdmin['listDeadLetters']> {
    const { topic, group, filter, diedUntil } = this.parts.spec;
    const diedBefore = new Date(Math.min(filter.diedBefore?.getTime() ?? Infinity, diedUntil + 1));
    const bounded = { ...filter, diedBefore };
    return this.parts.admin.listDeadLetters(topic, group, { ...query, filter: bounded, order: 'oldest' });
  }

  private isFree({ state }: DeadLetterSummary): boolean {
    const { kind, force } = this.parts.spec;
    return kind !== 'redrive' || force || state.generation < QUARANTINE_AFTER;
  }

  private add(meant: number, done: number): void {
    const { progress } = this;
    this.progress = { ...progress, done: progress.done + done, gone: progress.gone + meant - done };
  }

  private async save(change: Partial<SavedProgress>): Promise<void> {
    const ranMs = this.ranBeforeMs + Math.round(this.parts.clock.monotonic() - this.startedAt);
    this.progress = { ...this.progress, ...change, ranMs };
    await this.parts.save(this.progress);
  }
}
