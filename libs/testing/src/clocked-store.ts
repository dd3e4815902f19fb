// What a manual clock moves besides the waits of a process: where messages are kept.

export interface ClockedStore {
  /** Resolves when everything it was asked for is answered, and whoever waits for messages has looked. */
  settle(): Promise<void>;
  /** Its time is now so much, Unix ms. */
  moveTo(now: number): Promise<void>;
  /** Whether anybody holds a delivery: then looks for expired leases may not be left out. */
  isLeased(): boolean | Promise<boolean>;
}
