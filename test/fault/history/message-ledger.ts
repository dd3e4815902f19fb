// What is known of each message of one producer: a few bytes per message, because a long run has millions of them.

export const ATTEMPTED = 1;
export const OK = 2;
export const FAILED = 4;
export const UNKNOWN = 8;
export const CANCEL_ASKED = 16;
export const CANCELLED = 32;
export const POISONED = 64;
export const CANCEL_REFUSED = 128;

/** Per group: how often it was done (saturates), and whether it was ever started, became a dead letter, has an effect. */
export interface GroupLedger {
  done: Uint8Array;
  started: Uint8Array;
  dead: Uint8Array;
  effects: Uint8Array;
}

export class MessageLedger {
  /** Messages are numbered from 0; this is one more than the greatest seen. */
  size = 0;
  state = new Uint8Array(0);
  sum = new Uint32Array(0);
  id = new Uint32Array(0);
  /** Unix ms before which it must not be handled. */
  due = new Float64Array(0);
  /** Monotonic ms; NaN = never. */
  acknowledgedAt = new Float64Array(0);
  attemptedAt = new Float64Array(0);
  private readonly groups = new Map<number, GroupLedger>();

  touch(n: number): void {
    if (n < this.size) return;
    this.size = n + 1;
    if (n < this.state.length) return;
    const capacity = Math.max(1024, 2 ** Math.ceil(Math.log2(n + 1)));
    this.state = grown(this.state, new Uint8Array(capacity));
    this.sum = grown(this.sum, new Uint32Array(capacity));
    this.id = grown(this.id, new Uint32Array(capacity));
    this.due = grown(this.due, new Float64Array(capacity));
    this.acknowledgedAt = grown(this.acknowledgedAt, new Float64Array(capacity).fill(NaN));
    this.attemptedAt = grown(this.attemptedAt, new Float64Array(capacity).fill(NaN));
    for (const group of this.groups.values()) growGroup(group, capacity);
  }

  has(n: number, bit: number): boolean {
    return n < this.size && (this.state[n]! & bit) !== 0;
  }

  mark(n: number, bit: number): void {
    this.touch(n);
    this.state[n]! |= bit;
  }

  group(number: number): GroupLedger {
    let group = this.groups.get(number);
    if (group) return group;
    const empty = new Uint8Array(0);
    group = { done: empty, started: empty, dead: empty, effects: empty };
    growGroup(group, this.state.length);
    this.groups.set(number, group);
    return group;
  }
}

/** Adds one, and stays at 255. */
export function count(counts: Uint8Array, n: number): number {
  if (counts[n]! < 255) counts[n]!++;
  return counts[n]!;
}

function growGroup(group: GroupLedger, capacity: number): void {
  for (const name of ['done', 'started', 'dead', 'effects'] as const)
    group[name] = grown(group[name], new Uint8Array(capacity));
}

function grown<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from);
  return into;
}
