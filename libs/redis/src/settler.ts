// Settles: what ends in one turn leaves in one script call per group and shard.
import type { Settlement, SettleResult } from '@millrace/core';
import type { Caller } from './caller.js';
import { Coalescer } from './coalescer.js';
import { encodeState } from './retry-field.js';
import { CallStreams, fieldOf, fieldPrefix, inOrder, pendingName, type NotedDelivery } from './delivery-names.js';
import type { ScriptArgument } from './scripts.js';
import type { GroupShard } from './streams.js';

export interface Settling {
  readonly delivery: NotedDelivery;
  readonly settlement: Settlement;
}

const PER_CALL = { maxItems: 128, maxBytes: 512 * 1024, maxCalls: 2 };
const ACK_BYTES = 64;

export class Settler {
  private readonly coalescer: Coalescer<Settling, SettleResult>;

  constructor(
    private readonly shard: GroupShard,
    private readonly caller: Caller,
    private readonly retryScheduled: (dueInMs: number) => void,
  ) {
    this.coalescer = new Coalescer(
      {
        ...PER_CALL,
        bytesOf: ({ delivery, settlement }) =>
          settlement.type === 'ack' ? ACK_BYTES : delivery.message.body.length + ACK_BYTES,
        // Followers take their places one after the other: one that came late must not be overtaken by those behind it.
        ordered: ({ settlement }) => settlement.type === 'follow',
      },
      (items) => this.call(items),
    );
  }

  settle(items: readonly Settling[]): Promise<SettleResult[]> {
    return this.coalescer.addAll(items);
  }

  /** Start marks take along what waits to be acknowledged. Undefined when nothing does: they need a call of their own. */
  carry(marks: readonly ScriptArgument[]): Promise<void> | undefined {
    return this.coalescer.takeAlong(isPlain, (items) => this.acknowledge(items, marks));
  }

  private call(items: Settling[]): Promise<SettleResult[]> {
    return items.every(isPlain) ? this.acknowledge(items) : this.end(items);
  }

  /** The hot path: three arguments for each stream. */
  private async acknowledge(items: Settling[], marks: readonly ScriptArgument[] = []): Promise<SettleResult[]> {
    const { keys, group, subscription } = this.shard;
    const streams = new CallStreams(this.shard);
    const ofStream: number[][] = [];
    for (const [index, { delivery }] of items.entries()) (ofStream[streams.position(delivery) - 1] ??= []).push(index);
    const args = [subscription.group, pendingName(items[0]!.delivery), marks.length, ...marks];
    const order: number[] = [];
    const entryOf = (index: number): string => items[index]!.delivery.entryId;
    for (const [place, indexes] of ofStream.entries()) {
      const { epoch, source, queue } = items[indexes[0]!]!.delivery;
      inOrder(indexes, entryOf);
      const prefix = epoch === undefined ? '' : fieldPrefix(source, queue);
      args.push(streams.leases[place]!, prefix, indexes.map(entryOf).join(' '));
      order.push(...indexes);
    }
    const results = items.map((): SettleResult => 'settled');
    const names = [keys.meta, group.started, group.owners, ...streams.keys];
    const { lost } = refusals(await this.answer('ack', (slot) => keys.slot(slot), names, args));
    for (const index of lost) results[order[index]!] = 'lease-lost';
    return results;
  }

  private async end(items: Settling[]): Promise<SettleResult[]> {
    const { keys, group, subscription } = this.shard;
    const streams = new CallStreams(this.shard);
    const rest: ScriptArgument[] = [];
    for (const { delivery, settlement } of items) {
      rest.push(streams.position(delivery), fieldOf(delivery), ...verdict(delivery, settlement));
    }
    const names = [
      keys.meta,
      group.started,
      group.owners,
      group.waiting,
      group.waitingPayloads,
      group.retries(0),
      group.dead,
      group.deadLetters,
      group.untold,
      group.tags,
      ...streams.keys,
      ...streams.parked,
    ];
    const args = [
      subscription.group,
      pendingName(items[0]!.delivery),
      streams.leases.length,
      ...streams.leases,
      ...rest,
    ];
    const reply = await this.answer('settle', (slot) => keys.slot(slot), names, args);
    const { lost, wanted } = refusals(reply);
    return items.map(({ settlement }, index) => {
      if (lost.has(index)) return 'lease-lost';
      if (wanted.has(index)) return 'wanted';
      if ('delayMs' in settlement) this.retryScheduled(settlement.delayMs);
      return 'settled';
    });
  }

  /**
   * A settle is asked until it is answered: giving up would only mean that the lease runs out and the message comes
   * again. What is not known after the life of the call is asked for by a new one: whatever the first one settled is
   * reported as a lost lease then.
   */
  private answer(
    script: 'ack' | 'settle',
    slotKey: (slot: string) => string,
    names: string[],
    args: ScriptArgument[],
  ): Promise<string> {
    return this.caller.insist(() => this.caller.freeze(script, slotKey, names, args));
  }
}

/** Done, and nothing is kept that would have to go with it; noted at most as every entry of an ordered group is. */
function isPlain({ delivery, settlement }: Settling): boolean {
  if (settlement.type !== 'ack' || delivery.source === 'parked') return false;
  if (delivery.epoch === undefined && delivery.noted !== undefined) return false;
  return !settlement.skipped && !settlement.expired && !settlement.leadsParked;
}

/** 'SETTLED', or `LOST <indexes> WANTED <indexes>`. */
function refusals(reply: string): { lost: ReadonlySet<number>; wanted: ReadonlySet<number> } {
  const [lost, wanted] = reply === 'SETTLED' ? [] : reply.slice('LOST'.length).split('WANTED');
  return { lost: new Set(lost?.match(/\d+/g)?.map(Number)), wanted: new Set(wanted?.match(/\d+/g)?.map(Number)) };
}

function verdict(delivery: NotedDelivery, settlement: Settlement): ScriptArgument[] {
  const { messageId, tag, orderingKey, meta, body } = delivery.message;
  if (settlement.type === 'ack') {
    if (settlement.leadsParked) return [acked(settlement, '>', tag), orderingKey];
    return [acked(settlement, delivery.noted === undefined ? '' : '*', tag)];
  }
  // Where it comes again: an ordered group has a retry stream per queue, a concurrent one a single one.
  const queue = delivery.epoch === undefined ? 0 : delivery.queue;
  const fields = [messageId, tag, orderingKey, meta, body];
  switch (settlement.type) {
    case 'dead-letter':
    case 'park': {
      const { type, reason, state, text = '' } = settlement;
      return [type === 'park' ? 'park' : 'dead', queue, reason, ...fields, encodeState(state, delivery), text];
    }
    case 'follow':
      return [settlement.wake ? 'wake' : 'follow', queue, '', ...fields, untriedState(delivery), ''];
    default: {
      const state = settlement.type === 'retry' ? settlement.state : delivery.state;
      return [settlement.type, queue, Math.round(settlement.delayMs), ...fields, encodeState(state, delivery), ''];
    }
  }
}

function acked({ skipped, expired }: Extract<Settlement, { type: 'ack' }>, mark: string, tag: string): string {
  if (expired) return `expire${mark}`;
  return skipped ? `skip${mark}:${tag}` : `ack${mark}`;
}

/** Nothing for a message as it was sent: most followers are, and there may be very many. */
function untriedState(delivery: NotedDelivery): string {
  const { attempt, crashes, generation, failures } = delivery.state;
  const isUntried = attempt === 1 && crashes === 0 && generation === 0 && failures.length === 0;
  return isUntried ? '' : encodeState(delivery.state, delivery);
}
