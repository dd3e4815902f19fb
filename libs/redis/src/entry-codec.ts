// Stream entries ⇄ messages: five fields in one order (docs/wire-format.md), a sixth with the retry state on a group's
// retry stream. One fixed field list lets Redis store the names once per node.
import { FIRST_DELIVERY, type RetryState, type StoredMessage } from '@millrace/core';
import { decodeCarried } from './retry-field.js';

/** An entry as ioredis returns it with Buffer replies: id, then names and values in turn. */
export type RawEntry = [Buffer, (Buffer | null)[] | null];

export interface DecodedEntry {
  readonly entryId: string;
  readonly message: StoredMessage;
  readonly state: RetryState;
  /** Fence of the last hand-over before this entry was written; 0 when there was none. */
  readonly fencedBy: number;
  /** Unix ms; that of the entry unless an earlier entry of the message says when it was. */
  readonly readyAt: number;
}

const NAMES = Buffer.from('itombr');

/** Never throws: what is not an entry of ours becomes a message that cannot be decoded, with its raw bytes. */
export function decodeEntry(raw: RawEntry): DecodedEntry {
  // The id of a parked message holds its ordering key.
  const entryId = raw[0].toString();
  const fields = raw[1];
  const writtenAt = entryMs(entryId);
  if (!fields || !isOurs(fields)) return untried(entryId, foreign(entryId, fields ?? []), writtenAt);
  const message: StoredMessage = {
    messageId: fields[1]!.toString(),
    tag: fields[3]!.length === 0 ? '' : fields[3]!.toString(),
    orderingKey: fields[5]!.length === 0 ? '' : fields[5]!.toString(),
    meta: fields[7]!,
    body: fields[9]!,
  };
  if (fields.length === 10) return untried(entryId, message, writtenAt);
  const { state, fence = 0, ready = writtenAt } = decodeCarried(fields[11]!.toString());
  return { entryId, message, state, fencedBy: fence, readyAt: ready };
}

function untried(entryId: string, message: StoredMessage, readyAt: number): DecodedEntry {
  return { entryId, message, state: FIRST_DELIVERY, fencedBy: 0, readyAt };
}

/** The ms part of an entry's id: when it was written, by the server's clock. */
export function entryMs(entryId: string): number {
  // That of a parked message ends with the padded id of its entry and a mark: `…<16 digits>-<20 digits>q`.
  const isParked = entryId.endsWith('q') || entryId.endsWith('r');
  return isParked ? Number(entryId.slice(-38, -22)) : Number.parseInt(entryId, 10);
}

function isOurs(fields: (Buffer | null)[]): boolean {
  if (fields.length !== 10 && fields.length !== 12) return false;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    if (name.length !== 1 || name[0] !== NAMES[at / 2]) return false;
  }
  return fields[1]!.length > 0;
}

/** Somebody else's entry: its fields are kept as base64 pairs; the empty meta makes it undecodable. */
function foreign(entryId: string, fields: (Buffer | null)[]): StoredMessage {
  const raw = JSON.stringify(fields.map((field) => field?.toString('base64') ?? null));
  return { messageId: `foreign-${entryId}`, tag: '', orderingKey: '', meta: '', body: Buffer.from(raw) };
}
