// What the tables of a run say, for its history and for its checker.
import { crc32 } from 'node:zlib';
import type { GroupRules } from '../checker/rules.js';
import { readHistory } from '../history/history-file.js';
import type { Stage } from '../stage/stage.js';
import { broken } from './table-truth.js';

const MOST_SENTENCES = 12;

interface Row {
  producer: number;
  n: number;
}

const nameOf = ({ producer, n }: Row): string => `${producer}/${n}`;

/** @param table a name of ours: it becomes part of the statement */
export async function rowsIn(stage: Stage, table: 'business' | 'mq_outbox'): Promise<number> {
  const [found] = await stage.sql<{ counted: string | number }>(`select count(*) as counted from ${table}`);
  return Number(found!.counted);
}

/**
 * Notes the fate of every transaction, also of those whose process died before it heard: committed is what has its row,
 * and everything else must not arrive. Once the producers have ended.
 */
export async function noteCommits(stage: Stage): Promise<void> {
  const rows = await stage.sql<Row & { message_id: string }>('select producer, n, message_id from business');
  const committed = new Map(rows.map((row) => [nameOf(row), row]));
  for (const { message_id, ...row } of rows) stage.history.note('ok', { ...row, id: crc32(message_id) });
  const attempted = new Map<string, Row>();
  for (const { kind, producer, n } of readHistory(stage.historyFolder))
    if (kind === 'attempt') attempted.set(nameOf({ producer, n }), { producer, n });
  let undone = 0;
  for (const [name, { producer, n }] of attempted) {
    if (committed.has(name)) continue;
    stage.history.note('fail', { producer, n });
    undone++;
  }
  stage.figures.committed = rows.length;
  stage.figures['not committed'] = undone;
  if (rows.length === 0 || undone === 0) stage.problems.push('commits and rollbacks: both are needed for a test');
}

/** What is not as promised, in sentences. */
export async function tableTruth(stage: Stage, groups: readonly GroupRules[]): Promise<string[]> {
  const committed = await stage.sql<Row & { key_no: number }>('select producer, n, key_no from business order by at');
  const effects = await stage.sql<Row & { consumer_group: number }>(
    'select consumer_group, producer, n from effects order by at',
  );
  const sentences = broken({
    committed: committed.map((row) => ({ name: nameOf(row), key: row.key_no })),
    effects: effects.map((row) => ({ name: nameOf(row), group: row.consumer_group })),
    groups: groups.map(({ ordered }, number) => ({ number, ordered })),
  });
  const rest = sentences.length - MOST_SENTENCES;
  return rest > 0 ? [...sentences.slice(0, MOST_SENTENCES), `and ${rest} more like these`] : sentences;
}
