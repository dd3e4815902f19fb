// Commands of producers: send, cancel, reschedule.
import { expect } from '@jest/globals';
import type { SendResult } from '@millrace/core';
import fc from 'fast-check';
import type { BrokerModel, ExpectedSend, Ref } from './broker-model.js';
import { BrokerCommand, type Weighted } from './command.js';
import { outgoing, type Draft } from './draft.js';
import { HOUR_MS } from './shape.js';
import type { World } from './world.js';

let plain = 0;

/** An id of its own for a message without one. */
export const nextId = ({ messageId }: Draft): string => messageId ?? `plain-${++plain}`;

/** An answer as far as the model knows it. */
export function answerOf(result: SendResult): ExpectedSend {
  if (result.ok) {
    const { messageId, duplicate, state, queue } = result.receipt;
    return { ok: true, messageId, duplicate, state, queue };
  }
  const { code, messageId } = result.error as { code: string; messageId?: string };
  return messageId === undefined ? { ok: false, code } : { ok: false, code, messageId };
}

class Send extends BrokerCommand {
  constructor(
    private readonly drafts: readonly Draft[],
    private readonly process: number,
  ) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const named = this.drafts.map((draft) => ({ draft: inShape(draft, model), id: nextId(draft) }));
    const batch = named.map(({ draft, id }, index) => outgoing(world.topic, draft, id, index));
    const expected = named.map(({ draft, id }, index) => model.send(draft, id, index));
    const results = await world.processes[this.process]!.broker.send(batch);
    expect(results.map(answerOf)).toEqual(expected);
  }

  toString(): string {
    return `send(${JSON.stringify(this.drafts)}) by process ${this.process}`;
  }
}

/** Where a full topic drops there is one ordering key, see SHAPES. */
export function inShape(draft: Draft, { shape }: BrokerModel): Draft {
  if (shape.onFull !== 'drop-oldest' || draft.orderingKey === undefined) return draft;
  return { ...draft, orderingKey: 'o1' };
}

/** Which message is meant: one that was sent (by its place in the list of those), or one by its business key. */
type Which = { readonly index: number } | Ref;

function refOf(which: Which, { ids }: Readonly<BrokerModel>): Ref {
  return 'index' in which ? { messageId: ids[which.index % Math.max(1, ids.length)] ?? 'nobody' } : which;
}

/** A half message is neither scheduled nor delivered: that is refused. */
const orHalf = (answer: Promise<string>): Promise<string> =>
  answer.catch((error: { code?: string }) => (error.code === 'MQ_HALF_PENDING' ? 'half' : Promise.reject(error)));

class Cancel extends BrokerCommand {
  constructor(private readonly which: Which) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const ref = refOf(this.which, model);
    const expected = model.cancel(ref);
    expect({ ref, answer: await orHalf(world.ports.broker.cancel(world.topic, ref)) }).toEqual({
      ref,
      answer: expected,
    });
  }

  toString(): string {
    return `cancel(${JSON.stringify(this.which)})`;
  }
}

class Reschedule extends BrokerCommand {
  constructor(
    private readonly which: Which,
    private readonly isDue: boolean,
  ) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const ref = refOf(this.which, model);
    const delayMs = this.isDue ? 0 : HOUR_MS;
    const expected = model.reschedule(ref, delayMs);
    const answer = await orHalf(world.processes[1]!.broker.reschedule(world.topic, ref, { delayMs }));
    expect({ ref, answer }).toEqual({ ref, answer: expected });
  }

  toString(): string {
    return `reschedule(${JSON.stringify(this.which)}, ${this.isDue ? 'now' : 'in an hour'})`;
  }
}

const key = fc.constantFrom('k1', 'k2', 'k3');
const orderingKey = fc.constantFrom('o1', 'o1', 'o2', undefined);
const content = {
  body: fc.constantFrom('x', 'y'),
  tag: fc.constantFrom('', 'a'),
  delay: fc.constantFrom('none' as const, 'none' as const, 'short' as const, 'long' as const),
};
const same = { ...content, body: fc.constant('x'), tag: fc.constant(''), orderingKey, idempotencyKey: key };
export const anyDraft: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ...content, orderingKey }) },
  { weight: 3, arbitrary: fc.record(same) },
  { weight: 1, arbitrary: fc.record({ ...content, orderingKey, idempotencyKey: key }) },
  { weight: 1, arbitrary: fc.record({ ...content, messageId: fc.constantFrom('m1', 'm2') }) },
);
const which: fc.Arbitrary<Which> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ index: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ idempotencyKey: key, orderingKey }) },
  { weight: 1, arbitrary: fc.record({ messageId: fc.constantFrom('m1', 'm2', 'nobody') }) },
);

const send = (of: fc.Arbitrary<Draft>): fc.Arbitrary<Send> =>
  fc.tuple(fc.array(of, { minLength: 1, maxLength: 5 }), fc.nat(1)).map(([drafts, by]) => new Send(drafts, by));

export const sendAny = send(anyDraft);
/** Ready at once, most of them with a key. */
export const sendKeyed = send(
  fc.record({ body: fc.constant('x'), tag: fc.constant(''), delay: fc.constant('none' as const), orderingKey }),
);

export const recalling: Weighted = [
  [1, which.map((one) => new Cancel(one))],
  [1, fc.tuple(which, fc.boolean()).map(([one, isDue]) => new Reschedule(one, isDue))],
];
