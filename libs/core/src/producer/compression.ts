// Bodies above 4 KiB are stored compressed where that saves at least a tenth.
import { deflateRawSync } from 'node:zlib';
import { bytesOf } from '../message/envelope.js';

export const COMPRESS_ABOVE_BYTES = 4 * 1024;
const SAVES_ENOUGH = 0.9;
/** A long body is judged by its beginning first: random bytes cost as much to compress as text does, for nothing. */
const SAMPLE_BYTES = 16 * 1024;

/** The compressed bytes, or undefined when the body stays as it is. Level 1: most of the gain, a third of the time. */
export function compressed(body: Buffer | string): Buffer | undefined {
  if (Buffer.byteLength(body) <= COMPRESS_ABOVE_BYTES) return undefined;
  const bytes = bytesOf(body);
  if (bytes.length > 2 * SAMPLE_BYTES && !smaller(bytes.subarray(0, SAMPLE_BYTES))) return undefined;
  return smaller(bytes);
}

function smaller(bytes: Buffer): Buffer | undefined {
  const deflated = deflateRawSync(bytes, { level: 1 });
  return deflated.length <= bytes.length * SAVES_ENOUGH ? deflated : undefined;
}
