// Dead letters of all shards as one list in order of death.
import type { DeadLetterPosition, DeadLetterQuerySpec, DeadLetterSummary } from '@millrace/core';
import type { Caller } from './caller.js';
import { decodeSummary } from './dead-letter-codec.js';
import type { ShardKeys } from './keys.js';
import { MergedPages, type Piece } from './merged-pages.js';

/** About half a ms of the server's time each. */
const LETTERS_PER_CALL = 100;
const BYTES_PER_CALL = 512 * 1024;

export function deadLetterPages(
  caller: Caller,
  shards: readonly ShardKeys[],
  group: string,
  { filter, order, positions }: Pick<DeadLetterQuerySpec, 'filter' | 'order' | 'positions'>,
): MergedPages<DeadLetterSummary> {
  const read = async (shard: number, position: DeadLetterPosition): Promise<Piece<DeadLetterSummary>> => {
    const keys = shards[shard]!;
    const { dead, deadLetters } = keys.group(group);
    const { at, name } = typeof position === 'object' ? position : { at: '', name: '' };
    const times = [filter.diedFrom?.getTime() ?? '', filter.diedBefore?.getTime() ?? ''];
    const args = [order, at, name, ...times, LETTERS_PER_CALL, BYTES_PER_CALL];
    const reply = await caller.run('list-dead-letters', [dead, deadLetters], args, 'buffer');
    const [more, lastAt, lastName, rows] = reply as [Buffer, Buffer, Buffer, Buffer[][]];
    return {
      rows: rows.map((row) => decodeSummary(keys.topic, group, row)),
      reached: lastAt.length === 0 ? undefined : { at: Number(lastAt.toString()), name: lastName.toString() },
      ended: more.toString() === 'END',
    };
  };
  return new MergedPages({ positions, direction: order === 'oldest' ? 1 : -1, of: placeOf, read });
}

function placeOf({ deadAt, name }: DeadLetterSummary): { at: number; name: string } {
  return { at: deadAt.getTime(), name };
}
