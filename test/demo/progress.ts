// What the user sees while it runs: one live line on a terminal, plain lines elsewhere.
import type { Ledger } from './ledger.js';
import type { Snapshot } from './snapshot.js';

const PLAIN_LINE_EVERY_MS = 2000;

export class Progress {
  private readonly startedAt = performance.now();
  private readonly live = process.stdout.isTTY;
  private shownAt = -Infinity;
  private lineOpen = false;

  get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  /** Something happened. Stays on the screen. */
  say(text: string): void {
    this.clear();
    console.log(`${this.stamp()} ${text}`);
  }

  /** How far everything is. On a terminal it overwrites the one before. */
  show(ledger: Ledger, snapshot: Snapshot): void {
    if (!this.live && performance.now() - this.shownAt < PLAIN_LINE_EVERY_MS) return;
    this.shownAt = performance.now();
    const { pending, paid, cancelled, shipped, ready, leased, retrying, dead } = snapshot;
    const line =
      `${this.stamp()}   ${ledger.requests} requests, ${ledger.queued} queued · ` +
      `orders: ${pending} unpaid, ${paid} paid, ${cancelled} cancelled, ${shipped} shipped · ` +
      `messages: ${ready} ready, ${leased} leased, ${retrying} retrying, ${dead} dead`;
    if (!this.live) {
      console.log(line);
      return;
    }
    process.stdout.write(`\r\u001B[2K${line.slice(0, (process.stdout.columns || 80) - 1)}`);
    this.lineOpen = true;
  }

  /** Removes the live line. */
  clear(): void {
    if (this.lineOpen) process.stdout.write('\r\u001B[2K');
    this.lineOpen = false;
  }

  private stamp(): string {
    return `${this.seconds.toFixed(1).padStart(5)} s`;
  }
}
