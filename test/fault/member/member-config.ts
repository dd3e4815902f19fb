// What a process of a run is told on its command line.
import type { Duration, SendOptions, TopicOptions } from '@millrace/core';

export interface SendingConfig {
  topic: string;
  /** Identity of this life of the producer; 0 to 65535. */
  producer: number;
  seed: number;
  /** How long a send is tried. */
  deadlineMs: number;
  perSecond: number;
  /** Messages in all; without it until told to stop. */
  total?: number;
  /** First message number. */
  first?: number;
  /** Ordering keys of its own; 0 = messages without one. */
  keys: number;
  /** Share of messages that are delayed, and how far at most. */
  delayShare?: number;
  maxDelayMs?: number;
  /** Share of delayed messages that are cancelled again, or moved, at a random moment. */
  cancelShare?: number;
  rescheduleShare?: number;
  /** Every so many messages one of these, in turn; 0 or absent: none. */
  poisonEvery?: number;
  /** Sends are known by `idempotencyKey`, the number of the message. */
  isShared?: boolean;
  /** Proven before the receipt: on the disk, on so many replicas. @default 'memory' */
  durability?: SendOptions['durability'];
  /** Extra bytes of body. */
  bodyBytes?: number;
  /** Sends not answered yet, at most. */
  maxInFlight?: number;
  /** Messages of one `sendAll`. @default 1: `send` */
  batch?: number;
  /** Through the outbox, in a transaction each. */
  outbox?: boolean;
  /** With a row of business in each of these transactions; other processes relay. */
  business?: BusinessConfig;
}

export interface BusinessConfig {
  /** Ordering keys, shared by all producers. */
  keys: number;
  /** Share of transactions that are rolled back after everything was written. */
  rollbackShare: number;
}

export interface ListeningConfig {
  topic: string;
  group: string;
  /** Of the group, for the history. */
  number: number;
  mode: 'concurrent' | 'ordered';
  concurrency: number;
  lease: string;
  /** How long a handler takes, in ms. */
  workMs: readonly [least: number, most: number];
  /** Share of first attempts that throw. */
  failShare?: number;
  backoffMs?: number;
  /** Every so many messages one always throws, until it is redriven. */
  sickEvery?: number;
  maxAttempts?: number;
  maxCrashes?: number;
  timeout?: string;
  /** Effects go to the database, once: through the inbox. */
  inbox?: boolean;
  /** Every so many messages one handler takes this long; `blocks` keeps the whole process from doing anything else. */
  slow?: { every: number; ms: number; blocks: boolean };
}

/** One server, a set that sentinels watch, or a cluster. */
export type ServerAddress =
  | string
  | { sentinels: { host: string; port: number }[]; name: string }
  | { nodes: { host: string; port: number }[] };

export interface MemberConfig {
  /** Of the process in this run; names its history file. */
  process: number;
  name: string;
  folder: string;
  connection: ServerAddress;
  databaseUrl?: string;
  namespace: string;
  sendTimeout: Duration;
  topics: readonly TopicOptions[];
  sending?: SendingConfig;
  listening?: readonly ListeningConfig[];
  /** It relays the outbox. */
  relaying?: boolean;
  /** It is born to die there. */
  diesAt?: Death;
}

/** Where a consumer dies by its own hand, at the next delivery that comes by. */
export const DEATHS = ['before-effect', 'after-effect', 'before-ack', 'after-ack'] as const;
/** Where a process that writes to the outbox dies, in a transaction or right after it. */
export const APP_DEATHS = ['after-insert', 'before-commit', 'after-commit'] as const;
/** Where a relay dies, between the rows it has locked and the end of the transaction that marks them. */
export const RELAY_DEATHS = ['before-send', 'after-send', 'before-mark', 'after-mark', 'after-mark-commit'] as const;
export type Death = (typeof DEATHS | typeof APP_DEATHS | typeof RELAY_DEATHS)[number] | 'after-receive';

/** To a member. */
export type Order = { do: 'stop' } | { do: 'die'; at: Death; passes?: number } | { do: 'report' };

/** From a member. */
export type Report =
  | { is: 'ready' }
  /** A producer has sent its total. */
  | { is: 'finished' }
  | { is: 'health'; silentMs: Record<string, number | null>; errors: Record<string, string>; rssBytes: number }
  /** @property unsettled promises that had no answer when time was up */
  | { is: 'stopped'; unsettled: number; errors: Record<string, number> };
