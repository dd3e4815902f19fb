// A scenario lets us and our peers do the same work on the same server in turn, and checks that the work was done.
import type { Redis } from 'ioredis';

/** What every contender gets: a server of its own choosing is no comparison. */
export interface Bench {
  readonly redisUrl: string;
  /** Raw client, for floors and for emptying the server between runs. */
  readonly redis: Redis;
  /** Scales the amount of work: 1 in a full run, less in a quick one. */
  readonly scale: number;
}

export interface Contender {
  readonly name: string;
  /** Brings the server into the state the run starts from; not timed. */
  prepare?(): Promise<void>;
  /** Does the work and checks it; returns how many units a second. Throws when something is missing. */
  run(): Promise<number>;
  close(): Promise<void>;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly unit: 'msg/s';
  /** Least ratio ours / theirs, by peer (design bar). */
  readonly bars: Readonly<Record<string, number>>;
  ours(bench: Bench): Promise<Contender>;
  theirs: readonly ((bench: Bench) => Promise<Contender>)[];
}

/** Units per second of `count` units between two readings of the monotonic clock. */
export function rate(count: number, startedMs: number, endedMs = performance.now()): number {
  return (count / (endedMs - startedMs)) * 1000;
}

/** Fails a run that lost or doubled something: a fast loss is no result. */
export function expectCount(what: string, found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${what}: ${found}, expected ${wanted}`);
}

/** A promise and what fulfils it. */
export function finished(): { promise: Promise<void>; finish: () => void } {
  let finish!: () => void;
  const promise = new Promise<void>((resolve) => (finish = resolve));
  return { promise, finish };
}

/** 200 bytes of JSON, as in the peers' own benchmarks. */
export const BODY = { id: 1234567, buyer: 'b-0042', note: 'x'.repeat(152) };
