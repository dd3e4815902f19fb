// The body of a message of a run: says which message it is, and can be checked byte by byte.
import { crc32 } from 'node:zlib';

export interface Payload {
  p: number;
  n: number;
  /** Ordering key by number; 0 = none. */
  k: number;
  poison?: PoisonKind;
  fill: string;
}

export const POISON_KINDS = ['throws', 'crashes', 'hangs'] as const;
export type PoisonKind = (typeof POISON_KINDS)[number];

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789äß漢🙂';

export function makePayload(p: number, n: number, k: number, bytes: number, poison?: PoisonKind): Payload {
  // Depends on nothing but the numbers: several producers make the same body.
  const turn = n % 31;
  const fill = (ALPHABET.slice(turn) + ALPHABET).repeat(Math.ceil(bytes / 40) + 1).slice(0, 8 + bytes);
  // Half a surrogate pair would not survive UTF-8.
  return { p, n, k, ...(poison ? { poison } : {}), fill: Buffer.from(fill).toString() };
}

export function sumOf({ p, n, k, poison, fill }: Payload): number {
  return crc32(`${p} ${n} ${k} ${poison ?? ''} ${fill}`);
}

export function isPayload(body: unknown): body is Payload {
  const { p, n, k, fill } = (body ?? {}) as Partial<Payload>;
  return typeof p === 'number' && typeof n === 'number' && typeof k === 'number' && typeof fill === 'string';
}
