// Where a list of dead letters goes on: positions in order of death, as text that a caller keeps.
import { InvalidOptionError } from '../errors.js';

/** Behind this letter the next page begins; `end` when this shard has no more, undefined at its beginning. */
export type DeadLetterPosition = { readonly at: number; readonly name: string } | 'end' | undefined;

/** Undefined when every shard has come to its end. */
export function deadLetterCursor(order: string, positions: readonly DeadLetterPosition[]): string | undefined {
  if (positions.every((position) => position === 'end')) return undefined;
  const packed = positions.map((position) =>
    position === undefined || position === 'end' ? (position ?? null) : [position.at, position.name],
  );
  return Buffer.from(JSON.stringify([order, packed])).toString('base64url');
}

/** Throws InvalidOptionError. @param places in how many the listed things lie @param option named by it */
export function readCursor(
  cursor: unknown,
  order: string,
  places: number,
  option = 'deadLetters.cursor',
): DeadLetterPosition[] {
  const refuse = (why: string): never => {
    throw new InvalidOptionError(option, cursor, why);
  };
  let packed: unknown;
  try {
    packed = JSON.parse(Buffer.from(String(cursor), 'base64url').toString());
  } catch {
    return refuse('is not a cursor of a list');
  }
  const [itsOrder, positions] = Array.isArray(packed) ? (packed as unknown[]) : [];
  if (!Array.isArray(positions) || positions.length !== places) return refuse('is not a cursor of this list');
  if (itsOrder !== order) return refuse(`belongs to a list in the other order than '${order}'`);
  return (positions as unknown[]).map((position) => {
    if (position === null) return undefined;
    if (position === 'end') return 'end';
    const [at, name] = Array.isArray(position) ? (position as unknown[]) : [];
    if (Number.isSafeInteger(at) && typeof name === 'string') return { at: at as number, name };
    return refuse('is not a cursor of a list');
  });
}
