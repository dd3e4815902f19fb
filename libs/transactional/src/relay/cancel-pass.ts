// Passes cancellations on to the broker, until it has answered. What the answer is changes nothing here: a message that
// had been delivered before stays delivered.
import { MqError } from '@millrace/core';
import { backoffAfter } from './relay-options.js';
import { NOTHING, passTransaction, type PassResult, type RelayParts } from './relay-pass.js';
import { isOutage } from './send-rows.js';

const MAX_CANCELLATIONS = 100;

export function cancelPass<Tx>(parts: RelayParts<Tx>): Promise<PassResult> {
  const { cancellations: store, sender, spec } = parts;
  return passTransaction(parts, async (sql, trusted) => {
    const cancellations = await store.lock(sql, MAX_CANCELLATIONS);
    if (cancellations.length === 0) return NOTHING;
    await store.removeRows(
      sql,
      cancellations.map(({ seq }) => seq),
    );
    if (!trusted()) return NOTHING;
    const answers = await Promise.allSettled(cancellations.map(async ({ topic, ref }) => sender.cancel(topic, ref)));
    const answered: string[] = [];
    const refused: string[] = [];
    let outage: unknown;
    answers.forEach((answer, index) => {
      const { seq } = cancellations[index]!;
      if (answer.status === 'fulfilled') answered.push(seq);
      else if (answer.reason instanceof MqError && !isOutage(answer.reason)) refused.push(seq);
      else outage ??= answer.reason;
    });
    if (answered.length > 0) await store.remove(sql, answered);
    // A broker that refuses to say (no such topic) has nothing to cancel; after a few tries that is taken as the
    // answer.
    if (refused.length > 0) await store.refuse(sql, refused, backoffAfter(1, spec), spec.maxAttempts);
    return { handled: answered.length, outage };
  });
}
