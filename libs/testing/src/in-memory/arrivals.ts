// Wakes those who wait for ready messages of a shard. Level-triggered use only: a woken reader looks again, so a wake
// too many costs a look and nothing else.

export class Arrivals {
  private readonly waiting = new Set<() => void>();

  /** Calls `wake` at the next arrival; the returned function takes it back. */
  onNext(wake: () => void): () => void {
    this.waiting.add(wake);
    return () => void this.waiting.delete(wake);
  }

  announce(): void {
    const woken = [...this.waiting];
    this.waiting.clear();
    for (const wake of woken) wake();
  }
}
