// Ordered mode: what becomes of parked keys. Mirrors the Redis scripts, one step each.
import type { RetryState } from '@millrace/core';
import { countCrash } from './crash.js';
import { ParkedKey, type ParkedMessage, type ParkedState } from './parked-key.js';
import type { GroupShard, PendingEntry } from './stored-group.js';

/** Messages given out at once of one key. */
const PAGE = 64;

/** Puts a leased entry at its place among those of its key; the key is made if it is not parked yet. */
export function keep(part: GroupShard, pending: PendingEntry, state: RetryState, now: number): ParkedKey {
  const { queue, entry, source, parked, firstReadyAt } = pending;
  const keys = part.parked[queue]!;
  const { orderingKey } = entry.message;
  let key = keys.get(orderingKey);
  if (!key) keys.set(orderingKey, (key = new ParkedKey(orderingKey, new Date(now))));
  if (parked) parked.state = state;
  else
    key.add({ entry, source: source === 'retry' ? 'retry' : 'queue', state, firstReadyAt, wasTried: isTried(state) });
  return key;
}

function isTried({ attempt, crashes, generation, failures }: RetryState): boolean {
  return attempt > 1 || crashes > 0 || generation > 0 || failures.length > 0;
}

/** The page that was out ends with a change of state: nobody owns it any more. */
export function setState(part: GroupShard, key: ParkedKey, state: ParkedState): void {
  for (const { entryId } of key.page.values()) part.pending.delete(entryId);
  key.page.clear();
  key.state = state;
}

/** Something of the key has ended: the rest of its page is still out, or the next page is due, or it is as any other. */
export function goOn(part: GroupShard, queue: number, orderingKey: string): void {
  const key = part.parked[queue]!.get(orderingKey);
  if (!key || key.page.size > 0) return;
  if (key.messages.length === 0) part.parked[queue]!.delete(orderingKey);
  else setState(part, key, { type: 'ready' });
}

/** Pages of keys that are ready, or that an older epoch had taken: a handler that had started under it has died. */
export function takePages(
  part: GroupShard,
  queue: number,
  most: number,
  terms: { consumer: string; epoch: number },
): PendingEntry[] {
  const taken: PendingEntry[] = [];
  let keys = 0;
  for (const key of part.parked[queue]!.values()) {
    const { state } = key;
    const isFree = state.type === 'ready' || (state.type === 'taken' && state.epoch < terms.epoch);
    if (!isFree || keys++ >= most) continue;
    for (const [message, pending] of key.page) {
      countCrash(pending);
      message.state = pending.state;
    }
    setState(part, key, { type: 'taken', epoch: terms.epoch });
    key.takes++;
    taken.push(...pageOf(key).map((message) => handOut(part, queue, key, message, terms)));
  }
  return taken;
}

function pageOf({ messages }: ParkedKey): ParkedMessage[] {
  if (messages[0]?.wasTried) return messages.slice(0, 1);
  const tried = messages.findIndex(({ wasTried }) => wasTried);
  return messages.slice(0, Math.min(PAGE, tried === -1 ? PAGE : tried));
}

function handOut(
  part: GroupShard,
  queue: number,
  key: ParkedKey,
  message: ParkedMessage,
  { consumer, epoch }: { consumer: string; epoch: number },
): PendingEntry {
  const { entry, source, state, firstReadyAt } = message;
  const entryId = `parked-${queue}-${source}-${entry.position}-${key.takes}`;
  const common = { consumer, epoch, leaseUntil: Infinity, started: false, firstReadyAt };
  const pending: PendingEntry = { ...common, entryId, source: 'parked', queue, entry, state, parked: message };
  part.pending.set(entryId, pending);
  key.page.set(message, pending);
  return pending;
}
