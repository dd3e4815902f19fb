// Order per key, and that no two handlers of a key run at the same time (I5).
import type { RecordedEvent } from '../history/fault-event.js';

interface Key {
  /** Greatest message number that was started. */
  latest: number;
  running?: { process: number; run: number; n: number };
}

/** A message was started after one with a greater number. */
export interface Disorder {
  readonly producer: number;
  readonly n: number;
  readonly after: number;
}

export class KeyOrder {
  readonly disorders: Disorder[] = [];
  overlaps = 0;
  private readonly keys = new Map<number, Key>();
  private readonly runningIn = new Map<number, Set<Key>>();

  /** @param isDelayed it takes its place in the order when it becomes due; only the overlap is judged */
  take(event: RecordedEvent, isDelayed: boolean): void {
    if (event.kind === 'start') this.started(event, isDelayed);
    else if (event.kind === 'done' || event.kind === 'failed' || event.kind === 'stale') this.ended(event);
  }

  /** Nothing runs in that process any more. */
  died(process: number): void {
    for (const key of this.runningIn.get(process) ?? []) if (key.running?.process === process) key.running = undefined;
    this.runningIn.delete(process);
  }

  private started({ key: name, n, process, run, producer }: RecordedEvent, isDelayed: boolean): void {
    if (name === 0) return;
    let key = this.keys.get(name);
    if (!key) this.keys.set(name, (key = { latest: -1 }));
    if (key.running) this.overlaps++;
    if (!isDelayed && n < key.latest) this.disorders.push({ producer, n, after: key.latest });
    if (!isDelayed) key.latest = Math.max(key.latest, n);
    key.running = { process, run, n };
    const running = this.runningIn.get(process) ?? new Set();
    this.runningIn.set(process, running.add(key));
  }

  private ended({ key: name, process, run }: RecordedEvent): void {
    const key = this.keys.get(name);
    if (key?.running?.process !== process || key.running.run !== run) return;
    key.running = undefined;
    this.runningIn.get(process)?.delete(key);
  }
}
