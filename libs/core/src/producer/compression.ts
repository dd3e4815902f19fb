// Bodies above 4 KiB are stored compressed where that saves at least a tenth.
import { deflateRawSync } from 'node:zlib';
import { bytesOf } from '../message/envelope.js';
import { fitsIn } from '../message/fits-in.js';

export const COMPRESS_ABOVE_BYTES = 4 * 1024;
const SAVES_ENOUGH = 0.9;
/** Taken from so many places of a body, so many bytes at each: formats begin with a header of text. */
const SAMPLES = 4;
const SAMPLE_BYTES = 256;

/**
 * The compressed bytes, or undefined when the body stays as it is. Level 1: most of the gain, a third of the time.
 * What looks random (images, archives, cipher texts) is not tried: it costs as much as text does, for nothing. Repetitions of
 * such bytes are missed.
 */
export function compressed(body: Buffer | string): Buffer | undefined {
  if (fitsIn(COMPRESS_ABOVE_BYTES, body)) return undefined;
  const bytes = bytesOf(body);
  // A code for single bytes could not save enough then.
  if (bitsPerByte(bytes) > 8 * SAVES_ENOUGH) return undefined;
  const deflated = deflateRawSync(bytes, { level: 1 });
  return deflated.length <= bytes.length * SAVES_ENOUGH ? deflated : undefined;
}

/** Shannon's entropy of single bytes, from samples: 8 for random ones, 4 to 5 for text, 6 for base64. */
function bitsPerByte(bytes: Buffer): number {
  const counts = new Uint16Array(256);
  const step = Math.floor((bytes.length - SAMPLE_BYTES) / (SAMPLES - 1));
  for (let from = 0, sample = 0; sample < SAMPLES; sample++, from += step)
    for (let at = from; at < from + SAMPLE_BYTES; at++) counts[bytes[at]!]!++;
  const total = SAMPLES * SAMPLE_BYTES;
  let sum = 0;
  for (const count of counts) if (count > 0) sum += count * Math.log2(count);
  return Math.log2(total) - sum / total;
}
