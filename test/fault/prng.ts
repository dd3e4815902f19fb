// The one source of chance of a run: the same seed gives the same plan.

export class Prng {
  private state: number;

  /** @param salt keeps two users of one seed apart */
  constructor(seed: number, salt = '') {
    this.state = seed >>> 0;
    for (const character of salt) this.state = Math.imul(this.state ^ character.codePointAt(0)!, 0x01000193) >>> 0;
    this.next();
  }

  /** In [0, 1). Mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('nothing to pick from');
    return list[this.int(0, list.length - 1)]!;
  }
}
