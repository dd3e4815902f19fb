// A scenario lets us and our peers do the same work on the same machine in turn, and checks that the work was done.
import type { Redis } from 'ioredis';
import type { PeerServers } from './servers/peer-servers.js';

/** What every contender gets: a Redis of its own choosing is no comparison. */
export interface Bench {
  readonly redisUrl: string;
  /** Raw client, for floors and for emptying the server between runs. */
  readonly redis: Redis;
  /** Servers of peers that do not run on Redis. */
  readonly servers: PeerServers;
  /** Scales the amount of work: 1 in a full run, less in a quick one. */
  readonly scale: number;
}

export interface Contender {
  readonly name: string;
  /** What its figure depends on and the scenario does not say: durability above all. */
  readonly settings?: string;
  /** Brings the server into the state the run starts from; not timed. */
  prepare?(): Promise<void>;
  /**
   * Does the work and checks it; returns the figure in the scenario's unit, or one for each of its parts. Throws when
   * something is missing.
   */
  run(): Promise<number | readonly number[]>;
  /** After each run, failed ones too: nothing of it may disturb the next contender. */
  rest?(): Promise<void>;
  close(): Promise<void>;
}

/** A peer that cannot be had on this machine: it is printed as skipped, and fails nothing. */
export class PeerUnavailableError extends Error {
  constructor(
    readonly peer: string,
    readonly reason: string,
  ) {
    super(`${peer}: ${reason}`);
    this.name = 'PeerUnavailableError';
  }
}

/** One figure that is compared. */
export interface Part {
  readonly id: string;
  readonly title: string;
  readonly unit: 'msg/s' | 'ms' | 'B' | '% of a core';
  /** Whether a smaller figure is the better one (times, bytes). @default false */
  readonly lowerIsBetter?: boolean;
  /** Design bars, ours / theirs by peer: the least ratio, or the greatest where lower is better. */
  readonly bars: Readonly<Record<string, number>>;
  /** Absolute bar on our own figure, where no peer does the same. */
  readonly ownBar?: number;
}

export interface Scenario extends Part {
  /** When one run gives several figures: they are compared instead of the scenario itself. */
  readonly parts?: readonly Part[];
  /** Settings of the server for this scenario; the former ones come back afterwards. */
  readonly server?: Readonly<Record<string, string>>;
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

/** For servers whose counts follow a little later: the count has to become right in time. */
export async function expectSoon(what: string, wanted: number, count: () => Promise<number>): Promise<void> {
  const deadline = performance.now() + 10_000;
  let found = await count();
  while (found !== wanted && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    found = await count();
  }
  expectCount(what, found, wanted);
}

/** A promise and what fulfils it. */
export function finished(): { promise: Promise<void>; finish: () => void } {
  let finish!: () => void;
  const promise = new Promise<void>((resolve) => (finish = resolve));
  return { promise, finish };
}

/** What handlers do where only the way to them is measured. */
export async function noWork(_body: unknown): Promise<void> {}

/** 200 bytes of JSON, as in the peers' own benchmarks. */
export const BODY = { id: 1234567, buyer: 'b-0042', note: 'x'.repeat(152) };

/** The value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Calls `send` `count` times, evenly over time, and waits for all answers. */
export async function atRate(count: number, perSecond: number, send: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  const answers: Promise<unknown>[] = [];
  while (answers.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - started) * perSecond) / 1000) + 1);
    while (answers.length < due) answers.push(send());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(answers);
}

/** `many` calls by `inFlight` loops that each wait for their own. */
export async function concurrently(
  many: number,
  inFlight: number,
  call: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < many) await call(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
}

/** How a sender waits for its answers: for each before the next one beyond `inFlight`, or for a whole batch at a time. */
export type Pace = { readonly inFlight: number } | { readonly batch: number };

export async function atPace(many: number, pace: Pace, call: (index: number) => Promise<unknown>): Promise<void> {
  if ('inFlight' in pace) return concurrently(many, pace.inFlight, call);
  for (let sent = 0; sent < many; sent += pace.batch) {
    const size = Math.min(pace.batch, many - sent);
    await Promise.all(Array.from({ length: size }, (_, index) => call(sent + index)));
  }
}
