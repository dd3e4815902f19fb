/**
 * Whether this takes at most so many bytes, a text as UTF-8. A unit of a text takes three at most, and counting costs as much
 * as copying: most texts need not be counted.
 */
export function fitsIn(maxBytes: number, content: string | Uint8Array): boolean {
  return content.length * 3 <= maxBytes || Buffer.byteLength(content) <= maxBytes;
}
