// The topic of a run, and the lengths of time that it knows.

export interface Shape {
  readonly shards: number;
  readonly queues: number;
  readonly maxLength?: number;
  readonly onFull?: 'reject' | 'drop-oldest';
}

/** What a full topic drops is told exactly where one queue and one ordering key say what is oldest. */
export const SHAPES: readonly Shape[] = [
  { shards: 1, queues: 2 },
  { shards: 2, queues: 4 },
  { shards: 1, queues: 2, maxLength: 6, onFull: 'reject' },
  { shards: 1, queues: 1, maxLength: 6, onFull: 'drop-oldest' },
];

export const HOUR_MS = 3_600_000;
export const LEASE_MS = 30_000;
/** Between two commands, so that what comes of different ones never has the same instant; more than a batch is long. */
export const TICK_MS = 20;

/** The clock of a run, and a number for whatever became ready: less = earlier. */
export class Steps {
  private last = 0;

  constructor(public now: number) {}

  next(): number {
    return ++this.last;
  }
}

export const queuesOf = (shard: number, { shards, queues }: Shape): number[] => {
  const perShard = queues / shards;
  return Array.from({ length: perShard }, (_, queue) => shard * perShard + queue);
};
