// What lies in order in several places (shards, buckets) as one list in that order, read in bounded pieces.
import type { DeadLetterPosition } from '@millrace/core';

/** One page looks at so many at most, whatever its filter lets through. */
const LOOKS_PER_PAGE = 1000;

/** What one call has read of a place. */
export interface Piece<T> {
  readonly rows: readonly T[];
  /** The last one looked at; undefined when nothing lies behind the position. */
  readonly reached?: { readonly at: number; readonly name: string };
  readonly ended: boolean;
}

export interface MergedPagesParts<T> {
  /** One for each place. */
  readonly positions: readonly DeadLetterPosition[];
  /** -1: from the latest to the earliest. */
  readonly direction: 1 | -1;
  /** Where a row stands in the order. */
  readonly of: (row: T) => { readonly at: number; readonly name: string };
  /** The next rows of a place, behind its position. */
  readonly read: (place: number, position: DeadLetterPosition) => Promise<Piece<T>>;
}

type Placed<T> = Piece<T> & { readonly place: number };

export class MergedPages<T> {
  readonly positions: DeadLetterPosition[];

  constructor(private readonly parts: MergedPagesParts<T>) {
    this.positions = [...parts.positions];
  }

  /** Shows rows until `show` says false, the page has looked at enough, or there are no more. Moves the positions. */
  async each(show: (row: T) => boolean): Promise<void> {
    for (let looked = 0; looked < LOOKS_PER_PAGE;) {
      const open = this.positions.flatMap((position, place) => (position === 'end' ? [] : [place]));
      if (open.length === 0) return;
      const pieces = await Promise.all(
        open.map(async (place) => ({ place, ...(await this.parts.read(place, this.positions[place])) })),
      );
      for (const { place, row } of this.inOrder(pieces)) {
        looked++;
        this.positions[place] = this.parts.of(row);
        if (!show(row)) return;
      }
      this.passOver(pieces);
    }
  }

  /** What is sure to come before everything that no place has shown yet. */
  private inOrder(pieces: readonly Placed<T>[]): { place: number; row: T }[] {
    const { direction, of } = this.parts;
    const horizons = pieces.flatMap(({ ended, reached }) => (ended || !reached ? [] : [reached.at * direction]));
    const horizon = Math.min(...horizons);
    return pieces
      .flatMap(({ place, rows }) => rows.map((row) => ({ place, row })))
      .filter(({ row }) => pieces.length === 1 || of(row).at * direction <= horizon)
      .toSorted((a, b) => (of(a.row).at - of(b.row).at) * direction);
  }

  /** A place whose rows were all shown goes on behind them; one that has no more is at its end. */
  private passOver(pieces: readonly Placed<T>[]): void {
    for (const { place, rows, reached, ended } of pieces) {
      const last = rows.at(-1);
      const position = this.positions[place];
      const shown = !last || (typeof position === 'object' && position.name === this.parts.of(last).name);
      if (!shown) continue;
      this.positions[place] = ended ? 'end' : (reached ?? position);
    }
  }
}
