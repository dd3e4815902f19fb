// What a process of a run writes down, and its form on disk: records of one length, so that a process that is killed in
// the middle of everything leaves a readable file, and millions of them stay small.

/** Names are for people; their order is the stored number. */
export const EVENT_KINDS = [
  /** A producer is about to send. */
  'attempt',
  /** The send was acknowledged; `id` is the receipt's message id. */
  'ok',
  /** The send was refused: certainly not stored. */
  'fail',
  /** The fate of the send is not known. */
  'info',
  'cancel-asked',
  /** The broker said: cancelled. */
  'cancelled',
  /** The broker said: too late, or not found. */
  'cancel-refused',
  /** A handler was entered. */
  'start',
  /** It finished, its effect has happened. */
  'done',
  /** It threw. */
  'failed',
  /** It saw that its lease was lost, and made no effect. */
  'stale',
  /** A committed row in the database. */
  'effect',
  /** A dead letter, read at the end. */
  'dead',
  /** A settlement or renewal was refused: another consumer owns the delivery. */
  'lease-lost',
  /** The process `run` is gone. */
  'died',
  /** The server may have forgotten what it acknowledged in the `wall` ms before (Infinity: everything). */
  'forgotten',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface FaultEvent {
  readonly kind: EventKind;
  /** Monotonic ms, one clock for all processes of the machine. */
  readonly at: number;
  /** Number of the producer; with `n` the identity of a message. */
  readonly producer: number;
  readonly n: number;
  /** Consumer group, by number. */
  readonly group: number;
  /** Ordering key, by number; 0 = none. */
  readonly key: number;
  readonly attempt: number;
  readonly crashes: number;
  /** Unix ms: of `attempt`, before which it must not be handled (0 = at once); of `start`, the time. */
  readonly wall: number;
  /** CRC-32 of the payload as it was sent, or as it arrived. */
  readonly sum: number;
  /** CRC-32 of the message id. */
  readonly id: number;
  /** Number of the handler's run inside its process; of `died`, the process. */
  readonly run: number;
  /** Of a handler's delivery, or stored with an effect; 0 = none. */
  readonly fence: number;
  /** Bit 1: the message is poison, meant to end as a dead letter. */
  readonly flags: number;
}

/** Of which process: the number of its file. */
export type RecordedEvent = FaultEvent & { readonly process: number };

export const POISON = 1;
export const RECORD_BYTES = 56;

const BLANK: FaultEvent = {
  kind: 'attempt',
  at: 0,
  producer: 0,
  n: 0,
  group: 0,
  key: 0,
  attempt: 0,
  crashes: 0,
  wall: 0,
  sum: 0,
  id: 0,
  run: 0,
  fence: 0,
  flags: 0,
};

/** What is not given is 0. */
export function faultEvent(kind: EventKind, given: Partial<FaultEvent> = {}): FaultEvent {
  return { ...BLANK, at: monotonicMs(), ...given, kind };
}

/** CLOCK_MONOTONIC: unlike `performance.now()` it has the same zero in every process of a machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function writeEvent(event: FaultEvent, into: Buffer): void {
  into.writeUInt8(EVENT_KINDS.indexOf(event.kind), 0);
  into.writeUInt8(event.group, 1);
  into.writeUInt16LE(event.producer, 2);
  into.writeUInt32LE(event.n, 4);
  into.writeUInt32LE(event.key, 8);
  into.writeUInt16LE(Math.min(event.attempt, 65_535), 12);
  into.writeUInt16LE(Math.min(event.crashes, 65_535), 14);
  into.writeDoubleLE(event.at, 16);
  into.writeDoubleLE(event.wall, 24);
  into.writeUInt32LE(event.sum, 32);
  into.writeUInt32LE(event.id, 36);
  into.writeUInt32LE(event.run, 40);
  into.writeUInt32LE(event.flags, 44);
  into.writeDoubleLE(event.fence, 48);
}

export function readEvent(from: Buffer, at: number, processNumber: number): RecordedEvent {
  return {
    kind: EVENT_KINDS[from.readUInt8(at)]!,
    group: from.readUInt8(at + 1),
    producer: from.readUInt16LE(at + 2),
    n: from.readUInt32LE(at + 4),
    key: from.readUInt32LE(at + 8),
    attempt: from.readUInt16LE(at + 12),
    crashes: from.readUInt16LE(at + 14),
    at: from.readDoubleLE(at + 16),
    wall: from.readDoubleLE(at + 24),
    sum: from.readUInt32LE(at + 32),
    id: from.readUInt32LE(at + 36),
    run: from.readUInt32LE(at + 40),
    flags: from.readUInt32LE(at + 44),
    fence: from.readDoubleLE(at + 48),
    process: processNumber,
  };
}
