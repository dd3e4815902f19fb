// What a handler returned, kept for whoever is told that it is done already.

/** Of the JSON text, in UTF-8 bytes; a larger result is not kept. */
export const MAX_RESULT_BYTES = 4096;

/** Undefined when there is nothing to keep: no value, none that JSON knows, or too large a one. */
export function encodeResult(value: unknown): string | undefined {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    return undefined;
  }
  return text !== undefined && Buffer.byteLength(text) <= MAX_RESULT_BYTES ? text : undefined;
}

export function decodeResult(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
