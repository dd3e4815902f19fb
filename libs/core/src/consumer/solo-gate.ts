// Lets a delivery that has crashed its process before run alone, so that it takes no neighbours with it: none that runs,
// and none that has run and whose settlement is still on its way, which would count as a crash of it.

/**
 * Counts the deliveries of a process from the start of their handlers until they are settled. A solo run waits until none
 * is left, and holds back new ones meanwhile: under steady load it would otherwise never come. Handlers that stalled are
 * not counted, or one that hangs would hold the process for ever.
 */
export class SoloGate {
  private running = 0;
  private alone = false;
  private readonly solos = new Set<() => boolean>();
  private readonly subscribers = new Set<() => void>();

  /** False while a solo run waits or is under way: no other handler may start. */
  get isOpen(): boolean {
    return !this.alone && this.solos.size === 0;
  }

  /** Calls `reopened` whenever handlers may start again; the returned function ends that. */
  onReopen(reopened: () => void): () => void {
    this.subscribers.add(reopened);
    return () => void this.subscribers.delete(reopened);
  }

  /** A handler starts. */
  enter(): void {
    this.running++;
  }

  /** A delivery is settled, or its handler stalled. */
  leave(): void {
    this.running--;
    if (this.running > 0 || this.isOpen) return;
    this.alone = false;
    this.next();
  }

  /**
   * Calls `start` when nothing is left; it enters the gate and returns true, or false when there is nothing to run
   * any more. The returned function withdraws the wish.
   */
  runAlone(start: () => boolean): () => void {
    this.solos.add(start);
    if (!this.alone) this.next();
    return () => {
      if (this.solos.delete(start) && this.isOpen) this.reopen();
    };
  }

  private next(): void {
    if (this.running > 0) return;
    for (const start of this.solos) {
      this.solos.delete(start);
      this.alone = true;
      if (start()) return;
      this.alone = false;
    }
    this.reopen();
  }

  private reopen(): void {
    for (const reopened of this.subscribers) reopened();
  }
}
