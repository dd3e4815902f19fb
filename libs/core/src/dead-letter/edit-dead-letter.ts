// What may be changed on a dead letter, and how its message looks afterwards. Pure.
import type { EditRecord, RetryState } from '../consumer/delivery.js';
import { InvalidOptionError } from '../errors.js';
import { bytesOf, encodeBody, ENVELOPE_VERSION, type Meta } from '../message/envelope.js';
import type { Headers, StoredMessage } from '../message/message.js';
import { checkTag } from '../message/tag-expression.js';
import { checkOptions } from '../option-check.js';
import { compressed } from '../producer/compression.js';
import { checkHeaders, checkName } from '../producer/send-options.js';
import { boundedText } from '../retry/failure-record.js';
import type { DeadLetter } from './dead-letter.js';

export interface DeadLetterChange {
  /** The new body: any JSON value or bytes. */
  body?: unknown;
  /** All headers from now on. */
  headers?: Headers;
  /** The new tag; '' takes it away. The listeners of the group decide by it who gets the message, or that nobody does. */
  tag?: string;
  /** Who changed it: kept on the message. */
  by: string;
  /** Why: kept on the message, at most 1 KiB. */
  note?: string;
}

/** Older notes give way: they travel with the message. */
const NOTES_KEPT = 16;
const NOTE_BYTES = 1024;
const CHANGEABLE = ['body', 'headers', 'tag'] as const;

/** The message and its state after the change. Throws InvalidOptionError. */
export function editedLetter(
  { message, state, deadAt }: Pick<DeadLetter, 'message' | 'state' | 'deadAt'>,
  change: DeadLetterChange,
  nowMs: number,
): { message: StoredMessage; state: RetryState } {
  checkOptions('edit', change, [...CHANGEABLE, 'by', 'note']);
  const { headers, tag, by, note } = change;
  checkName('edit.by', by);
  if (note !== undefined && typeof note !== 'string')
    throw new InvalidOptionError('edit.note', note, 'must be a string');
  // `body: undefined` is a mistake of the caller's and not a wish to keep the body: encodeBody says so.
  const changed = CHANGEABLE.filter((name) => Object.hasOwn(change, name));
  if (changed.length === 0)
    throw new InvalidOptionError('edit', changed, 'must change at least one of body, headers and tag');
  if (Object.hasOwn(change, 'headers')) checkHeaders(headers, 'edit.headers');
  if (Object.hasOwn(change, 'tag') && tag !== '') checkTag(tag, 'edit.tag');
  const record: EditRecord = {
    at: nowMs,
    by,
    changed,
    ...(note === undefined ? {} : { note: boundedText(note, NOTE_BYTES) }),
  };
  return {
    message: { ...message, tag: tag ?? message.tag, ...contentOf(message, change, deadAt) },
    state: { ...state, edits: [...(state.edits ?? []), record].slice(-NOTES_KEPT) },
  };
}

function contentOf(
  message: StoredMessage,
  change: DeadLetterChange,
  deadAt: Date,
): Pick<StoredMessage, 'meta' | 'body'> {
  const [bodyChanges, headersChange] = [Object.hasOwn(change, 'body'), Object.hasOwn(change, 'headers')];
  if (!bodyChanges && !headersChange) return { meta: message.meta, body: message.body };
  const readable = readMeta(message.meta);
  if (readable === undefined && !bodyChanges)
    throw new InvalidOptionError('edit.body', undefined, 'must be given too: the stored message cannot be decoded');
  // A message that nobody could read is repaired by giving it a body: its envelope is made anew.
  const meta: Meta = readable ?? { v: ENVELOPE_VERSION, at: deadAt.getTime() };
  if (headersChange) {
    if (Object.keys(change.headers!).length === 0) delete meta.h;
    else meta.h = change.headers!;
  }
  if (!bodyChanges) return { meta: Buffer.from(JSON.stringify(meta)), body: message.body };
  const { encoded, raw } = encodeBody(change.body);
  const small = compressed(encoded);
  if (raw) meta.c = 'b';
  else delete meta.c;
  if (small) meta.z = 'd';
  else delete meta.z;
  return { meta: Buffer.from(JSON.stringify(meta)), body: small ?? bytesOf(encoded) };
}

function readMeta(meta: string | Buffer): Meta | undefined {
  try {
    const read = JSON.parse(meta.toString()) as Partial<Meta> | null;
    const known = Number.isInteger(read?.v) && read!.v! <= ENVELOPE_VERSION;
    return known ? ({ ...read } as Meta) : undefined;
  } catch {
    return undefined;
  }
}
