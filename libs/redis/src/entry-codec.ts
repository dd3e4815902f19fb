// Stream entries ⇄ messages: header and body (docs/wire-format.md), on a group's retry stream the retry state as well.
// Few parts, because each costs whoever reads it: the header is the name of the field that holds the body.
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
  /** Unix ms: when the entry was written. */
  readonly writtenAt: number;
  /** Unix ms; that of the entry unless an earlier entry of the message says when it was. */
  readonly readyAt: number;
}

const STATE = 'r'.charCodeAt(0);
const NOT_ASCII = /[\x80-\xff]/;

/** Message id, tag and the ordering key's length in bytes, each ended by a line feed; then the ordering key, and the envelope. */
export function headerOf({ messageId, tag, orderingKey, meta }: Omit<StoredMessage, 'body'>): string | Buffer {
  const length = orderingKey === '' ? 0 : Buffer.byteLength(orderingKey);
  const before = `${messageId}\n${tag}\n${length}\n${orderingKey}`;
  return typeof meta === 'string' ? before + meta : Buffer.concat([Buffer.from(before), meta]);
}

/** Never throws: what is not an entry of ours becomes a message that cannot be decoded, with its raw bytes. */
export function decodeEntry(raw: RawEntry): DecodedEntry {
  // The id of a parked message holds its ordering key.
  const entryId = raw[0].toString();
  const fields = raw[1] ?? [];
  const writtenAt = entryMs(entryId);
  const message = isOurs(fields) ? readMessage(fields[0]!, fields[1]!) : undefined;
  if (!message) return untried(entryId, foreign(entryId, fields), writtenAt);
  if (fields.length === 2) return untried(entryId, message, writtenAt);
  const { state, fence = 0, ready = writtenAt } = decodeCarried(fields[3]!.toString());
  return { entryId, message, state, fencedBy: fence, writtenAt, readyAt: ready };
}

/** Cut out of one text: a string for each part would be the dearest part of an entry. */
function readMessage(header: Buffer, body: Buffer): StoredMessage | undefined {
  const text = header.toString('latin1');
  const id = text.indexOf('\n');
  const tag = text.indexOf('\n', id + 1);
  const key = text.indexOf('\n', tag + 1) + 1;
  const meta = key + Number(text.slice(tag + 1, key - 1));
  // `meta` is not a number where the length is none.
  if (id < 1 || tag <= id || key <= tag || !(meta <= text.length)) return undefined;
  const isAscii = !NOT_ASCII.test(text);
  const part = (from: number, to: number): string =>
    isAscii ? text.slice(from, to) : header.toString('utf8', from, to);
  return {
    messageId: part(0, id),
    tag: part(id + 1, tag),
    orderingKey: meta === key ? '' : part(key, meta),
    // Its bytes as they are: also those of an envelope that nobody can read.
    meta: isAscii ? text.slice(meta) : header.subarray(meta),
    body,
  };
}

function untried(entryId: string, message: StoredMessage, writtenAt: number): DecodedEntry {
  return { entryId, message, state: FIRST_DELIVERY, fencedBy: 0, writtenAt, readyAt: writtenAt };
}

/** The ms part of an entry's id: when it was written, by the server's clock. */
export function entryMs(entryId: string): number {
  // That of a parked message ends with the padded id of its entry and a mark: `…<16 digits>-<20 digits>q`.
  const isParked = entryId.endsWith('q') || entryId.endsWith('r');
  return isParked ? Number(entryId.slice(-38, -22)) : Number.parseInt(entryId, 10);
}

/** By their number; what the header says is looked at when it is read. */
function isOurs(fields: (Buffer | null)[]): boolean {
  return fields.length === 2 || (fields.length === 4 && fields[2]!.length === 1 && fields[2]![0] === STATE);
}

/** Somebody else's entry: its fields are kept as base64 pairs; the empty meta makes it undecodable. */
function foreign(entryId: string, fields: (Buffer | null)[]): StoredMessage {
  const raw = JSON.stringify(fields.map((field) => field?.toString('base64') ?? null));
  return { messageId: `foreign-${entryId}`, tag: '', orderingKey: '', meta: '', body: Buffer.from(raw) };
}
