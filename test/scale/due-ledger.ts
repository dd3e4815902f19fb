// Holds deliveries of delayed messages against what was asked for. Messages are numbered from 0; a few bytes for each,
// because there are a million. Time goes on in looks: at each look everything that is due by then has to arrive.

const CANCELLED = 1;
const REFUSED = 2;
const DELIVERED = 4;

export interface DueFindings {
  scheduled: number;
  moved: number;
  cancelled: number;
  /** Cancels and moves that came too late. */
  refused: number;
  delivered: number;
  /** Delivered before it was due. */
  early: number;
  /** Delivered at a later look than the first at which it was due. */
  late: number;
  /** Neither delivered nor cancelled. */
  lost: number;
  /** Delivered twice, after its cancel had succeeded, or never scheduled. */
  unexpected: number;
  /** Delivered after a message of its queue that was due later. */
  disordered: number;
  /** Delivered at a later look than that at which a cancel or move was told that it is too late. */
  misanswered: number;
  /** A few of what was found. */
  examples: string[];
}

type Violation = 'early' | 'late' | 'lost' | 'unexpected' | 'disordered' | 'misanswered';
const MAX_EXAMPLES = 8;

export class DueLedger {
  /** Unix ms; NaN = not scheduled. */
  private readonly due: Float64Array;
  private readonly state: Uint8Array;
  /** Number of the look at which a cancel or move came too late. */
  private readonly refusedAt = new Map<number, number>();
  private readonly latestOfQueue = new Map<number, number>();
  private look = 0;
  private now = -Infinity;
  private before = -Infinity;
  private readonly found: DueFindings = {
    scheduled: 0,
    moved: 0,
    cancelled: 0,
    refused: 0,
    delivered: 0,
    early: 0,
    late: 0,
    lost: 0,
    unexpected: 0,
    disordered: 0,
    misanswered: 0,
    examples: [],
  };

  constructor(size: number) {
    this.due = new Float64Array(size).fill(NaN);
    this.state = new Uint8Array(size);
  }

  scheduled(n: number, due: number): void {
    this.due[n] = due;
    this.found.scheduled++;
  }

  moved(n: number, due: number): void {
    this.due[n] = due;
    this.found.moved++;
  }

  cancelled(n: number): void {
    this.state[n]! |= CANCELLED;
    this.found.cancelled++;
    // Its cancel was answered after its delivery: one of the two is wrong.
    if (this.state[n]! & DELIVERED) this.report('unexpected', `${n}: cancelled after it was delivered`);
  }

  /** A cancel or move was told that it is too late: the message is out already. */
  refused(n: number): void {
    this.found.refused++;
    this.state[n]! |= REFUSED;
    if (!this.refusedAt.has(n)) this.refusedAt.set(n, this.look);
  }

  /** Time has come to `now`: everything due by then is made ready and delivered before the next look. */
  looks(now: number): void {
    this.before = this.now;
    this.now = now;
    this.look++;
  }

  delivered(n: number, queue: number): void {
    const due = this.due[n] ?? NaN;
    const state = this.state[n] ?? 0;
    if (Number.isNaN(due)) return this.report('unexpected', `${n}: never scheduled`);
    if (state & DELIVERED) return this.report('unexpected', `${n}: delivered again`);
    this.state[n] = state | DELIVERED;
    this.found.delivered++;
    if (state & CANCELLED) this.report('unexpected', `${n}: cancelled, and yet delivered`);
    if (due > this.now) this.report('early', `${n}: ${due - this.now} ms early`);
    if (due <= this.before)
      this.report('late', `${n}: due ${this.before - due} ms before the look at which it was missed`);
    if (state & REFUSED && this.look > this.refusedAt.get(n)!)
      this.report('misanswered', `${n}: called delivered ${this.look - this.refusedAt.get(n)!} looks before it was`);
    const latest = this.latestOfQueue.get(queue) ?? -Infinity;
    if (due < latest)
      this.report('disordered', `${n}: due ${latest - due} ms before one that queue ${queue} had first`);
    this.latestOfQueue.set(queue, Math.max(latest, due));
  }

  isOpen(n: number): boolean {
    return (this.state[n]! & (DELIVERED | CANCELLED)) === 0;
  }

  /** After the last delivery. */
  findings(): DueFindings {
    for (let n = 0; n < this.due.length; n++)
      if (!Number.isNaN(this.due[n]) && this.isOpen(n))
        this.report('lost', `${n}: due ${this.due[n]}, never delivered`);
    return this.found;
  }

  private report(what: Violation, example: string): void {
    this.found[what]++;
    if (this.found.examples.length < MAX_EXAMPLES) this.found.examples.push(`${what}: ${example}`);
  }
}
