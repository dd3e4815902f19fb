// The reply of read-broadcast.lua for one stream.
import type { RawEntry } from './entry-codec.js';

/** One stream as the script saw it, in one step. */
export interface StreamLook {
  readonly entries: readonly RawEntry[];
  /** Entries ever added. */
  readonly added: number;
  /** Of these, how many are gone. */
  readonly removed: number;
  /** Id of the first entry that is left; '0-0' when there is none. */
  readonly first: string;
  /** The last id ever given; '0-0' for a stream that does not exist. */
  readonly last: string;
}

export type LookReply = [entries: RawEntry[], added: Buffer, removed: Buffer, first: Buffer, last: Buffer];

export function lookOf([entries, added, removed, first, last]: LookReply): StreamLook {
  return { entries, added: Number(text(added)), removed: Number(text(removed)), first: text(first), last: text(last) };
}

const text = (value: Buffer): string => value.toString('latin1');
