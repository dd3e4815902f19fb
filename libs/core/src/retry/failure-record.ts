// One failed attempt as it is kept on the message: bounded, because it travels with every retry.
import type { FailureRecord } from '../consumer/delivery.js';
import { fitsIn } from '../message/fits-in.js';

export const MAX_TEXT_BYTES = 1024;
export const MAX_STACK_BYTES = 4096;

/** Describes any thrown value; never throws itself, whatever was thrown. */
export function failureRecord(error: unknown, attempt: number, at: number, durationMs: number): FailureRecord {
  return { attempt, at, durationMs: Math.round(durationMs), ...describeError(error) };
}

function describeError(error: unknown): Pick<FailureRecord, 'error' | 'text' | 'stack'> {
  try {
    if (!(error instanceof Error)) return { error: nameOf(error), text: boundedText(textOf(error), MAX_TEXT_BYTES) };
    const stack = typeof error.stack === 'string' ? boundedText(error.stack, MAX_STACK_BYTES) : undefined;
    return {
      error: boundedText(classOf(error), 255),
      text: boundedText(textOf(error), MAX_TEXT_BYTES),
      ...(stack === undefined ? {} : { stack }),
    };
  } catch {
    return { error: 'Error', text: 'the error cannot be read' };
  }
}

/** Most subclasses never set `name`: then the constructor knows better than the inherited 'Error'. */
function classOf(error: Error): string {
  const { name } = error;
  return typeof name !== 'string' || name === '' || name === 'Error' ? (error.constructor?.name ?? 'Error') : name;
}

/** Name of what was thrown when it was no error: its class, or its type. */
function nameOf(thrown: unknown): string {
  const isObject = typeof thrown === 'object' && thrown !== null;
  return isObject ? boundedText(thrown.constructor?.name ?? 'object', 255) : typeof thrown;
}

function textOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  if ('message' in thrown && typeof thrown.message === 'string') return thrown.message;
  return JSON.stringify(thrown) ?? Object.prototype.toString.call(thrown);
}

/** The beginning of a text that takes at most `maxBytes` in UTF-8, never ending inside a character. */
export function boundedText(text: string, maxBytes: number): string {
  if (fitsIn(maxBytes, text)) return text;
  const ellipsis = '…';
  const bytes = Buffer.from(text);
  let end = maxBytes - Buffer.byteLength(ellipsis);
  // Bytes 10xxxxxx continue a character: step back to where one begins.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end) + ellipsis;
}
