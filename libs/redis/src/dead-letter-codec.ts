// Dead letters as the scripts return them (docs/wire-format.md) → what core shows.
import { searchedOf, type DeadLetter, type DeadLetterReason, type DeadLetterSummary } from '@millrace/core';
import { decodeState } from './retry-field.js';

/** Row of list-dead-letters.lua: name, id, tag, ordering key, envelope, reason, state, why, ms. */
export function decodeSummary(topic: string, group: string, row: readonly Buffer[]): DeadLetterSummary {
  const [name, id, tag, orderingKey, meta, reason, state, why, deadAt] = row;
  return {
    name: name!.toString(),
    messageId: id!.toString(),
    topic,
    group,
    reason: reason!.toString() as DeadLetterReason,
    text: why!.length > 0 ? why!.toString() : undefined,
    deadAt: new Date(Number(deadAt!.toString())),
    state: decodeState(state!.toString()),
    ...searchedOf({ tag: tag!.toString(), orderingKey: orderingKey!.toString(), meta: meta! }),
  };
}

/** What is packed: queue, id, tag, ordering key, envelope, body, reason, state, why, ms. */
export function decodeLetter(topic: string, group: string, name: string, packed: readonly Buffer[]): DeadLetter {
  const [, id, tag, orderingKey, meta, body, reason, state, why, deadAt] = packed;
  const row = [Buffer.from(name), id!, tag!, orderingKey!, meta!, reason!, state!, why!, deadAt!];
  const message = {
    messageId: id!.toString(),
    tag: tag!.toString(),
    orderingKey: orderingKey!.toString(),
    meta: meta!,
    body: body!,
  };
  return { ...decodeSummary(topic, group, row), message };
}
