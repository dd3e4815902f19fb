// Dead letters of all shards as one list in order of death, read in bounded pieces.
import type { DeadLetterFilter, DeadLetterPosition, DeadLetterQuerySpec, DeadLetterSummary } from '@millrace/core';
import type { Caller } from './caller.js';
import { decodeSummary } from './dead-letter-codec.js';
import type { ShardKeys } from './keys.js';

/** About half a ms of the server's time each. */
const LETTERS_PER_CALL = 100;
const BYTES_PER_CALL = 512 * 1024;
/** One page looks at so many letters at most, whatever its filter lets through. */
const LOOKS_PER_PAGE = 1000;

interface Piece {
  readonly shard: number;
  readonly letters: readonly DeadLetterSummary[];
  /** The last one looked at; undefined when nothing lies behind the position. */
  readonly reached?: { readonly at: number; readonly name: string };
  readonly ended: boolean;
}

export class DeadLetterPages {
  readonly positions: DeadLetterPosition[];
  private readonly filter: DeadLetterFilter;
  private readonly order: DeadLetterQuerySpec['order'];

  constructor(
    private readonly caller: Caller,
    private readonly shards: readonly ShardKeys[],
    private readonly group: string,
    from: Pick<DeadLetterQuerySpec, 'filter' | 'order' | 'positions'>,
  ) {
    this.positions = [...from.positions];
    this.filter = from.filter;
    this.order = from.order;
  }

  /** Shows letters until `show` says false, the page has looked at enough, or there are no more. Moves the positions. */
  async each(show: (letter: DeadLetterSummary) => boolean): Promise<void> {
    for (let looked = 0; looked < LOOKS_PER_PAGE;) {
      const open = this.positions.flatMap((position, shard) => (position === 'end' ? [] : [shard]));
      if (open.length === 0) return;
      const pieces = await Promise.all(open.map((shard) => this.read(shard)));
      for (const { shard, letter } of this.inOrder(pieces)) {
        looked++;
        this.positions[shard] = { at: letter.deadAt.getTime(), name: letter.name };
        if (!show(letter)) return;
      }
      this.passOver(pieces);
    }
  }

  /** What is sure to come before everything that no shard has shown yet. */
  private inOrder(pieces: readonly Piece[]): { shard: number; letter: DeadLetterSummary }[] {
    const forward = this.order === 'oldest' ? 1 : -1;
    const horizons = pieces.flatMap(({ ended, reached }) => (ended || !reached ? [] : [reached.at * forward]));
    const horizon = Math.min(...horizons);
    return pieces
      .flatMap(({ shard, letters }) => letters.map((letter) => ({ shard, letter })))
      .filter(({ letter }) => pieces.length === 1 || letter.deadAt.getTime() * forward <= horizon)
      .toSorted((a, b) => (a.letter.deadAt.getTime() - b.letter.deadAt.getTime()) * forward);
  }

  /** A shard whose letters were all shown goes on behind them; one that has no more is at its end. */
  private passOver(pieces: readonly Piece[]): void {
    for (const { shard, letters, reached, ended } of pieces) {
      const last = letters.at(-1);
      const position = this.positions[shard];
      const shown = !last || (typeof position === 'object' && position.name === last.name);
      if (!shown) continue;
      this.positions[shard] = ended ? 'end' : (reached ?? position);
    }
  }

  private async read(shard: number): Promise<Piece> {
    const keys = this.shards[shard]!;
    const { dead, deadLetters } = keys.group(this.group);
    const position = this.positions[shard];
    const { at, name } = typeof position === 'object' ? position : { at: '', name: '' };
    const { diedFrom, diedBefore } = this.filter;
    const times = [diedFrom?.getTime() ?? '', diedBefore?.getTime() ?? ''];
    const args = [this.order, at, name, ...times, LETTERS_PER_CALL, BYTES_PER_CALL];
    const reply = await this.caller.run('list-dead-letters', [dead, deadLetters], args, 'buffer');
    const [more, lastAt, lastName, rows] = reply as [Buffer, Buffer, Buffer, Buffer[][]];
    return {
      shard,
      letters: rows.map((row) => decodeSummary(keys.topic, this.group, row)),
      reached: lastAt.length === 0 ? undefined : { at: Number(lastAt.toString()), name: lastName.toString() },
      ended: more.toString() === 'END',
    };
  }
}
