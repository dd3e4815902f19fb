// Commands of producers: send, cancel, reschedule.
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { BrokerModel, Ref } from './broker-model.js';
import { BrokerCommand } from './command.js';
import { HOUR_MS, outgoing, type Draft } from './draft.js';
import type { World } from './world.js';

let plain = 0;

class Send extends BrokerCommand {
  constructor(
    private readonly drafts: readonly Draft[],
    private readonly process: number,
  ) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const named = this.drafts.map((draft) => ({ draft, id: draft.messageId ?? `plain-${++plain}` }));
    const batch = named.map(({ draft, id }) => outgoing(world.topic, draft, id));
    const expected = named.map(({ draft, id }) => model.send(draft, id));
    const results = await world.processes[this.process]!.broker.send(batch);
    const answers = results.map((result) => {
      if (!result.ok) return { ok: false, code: (result.error as { code?: string }).code, ...idOf(result.error) };
      const { messageId, duplicate, state, queue } = result.receipt;
      return { ok: true, messageId, duplicate, state, queue };
    });
    expect(answers).toEqual(
      expected.map((answer) => (answer.ok ? answer : { ...answer, code: 'MQ_IDEMPOTENCY_CONFLICT' })),
    );
  }

  toString(): string {
    return `send(${JSON.stringify(this.drafts)}) by process ${this.process}`;
  }
}

function idOf(error: unknown): { messageId: unknown } {
  return { messageId: (error as { messageId?: unknown }).messageId };
}

/** Which message is meant: one that was sent (by its place in the list of those), or one by its business key. */
type Which = { readonly index: number } | Ref;

function refOf(which: Which, { ids }: Readonly<BrokerModel>): Ref {
  return 'index' in which ? { messageId: ids[which.index % Math.max(1, ids.length)] ?? 'nobody' } : which;
}

class Cancel extends BrokerCommand {
  constructor(private readonly which: Which) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const ref = refOf(this.which, model);
    const expected = model.cancel(ref);
    expect({ ref, answer: await world.ports.broker.cancel(world.topic, ref) }).toEqual({ ref, answer: expected });
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
    const expected = model.reschedule(ref, this.isDue);
    const due = { delayMs: this.isDue ? 0 : HOUR_MS };
    const answer = await world.processes[1]!.broker.reschedule(world.topic, ref, due);
    expect({ ref, answer }).toEqual({ ref, answer: expected });
  }

  toString(): string {
    return `reschedule(${JSON.stringify(this.which)}, ${this.isDue ? 'now' : 'in an hour'})`;
  }
}

const key = fc.constantFrom('k1', 'k2', 'k3');
const orderingKey = fc.constantFrom('o1', 'o2', undefined);
const content = { body: fc.constantFrom('x', 'y'), tag: fc.constantFrom('', 'a'), isDelayed: fc.boolean() };
const draft: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ ...content, orderingKey }) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...content,
      body: fc.constant('x'),
      tag: fc.constant(''),
      orderingKey,
      idempotencyKey: key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ ...content, orderingKey, idempotencyKey: key }) },
  { weight: 1, arbitrary: fc.record({ ...content, messageId: fc.constantFrom('m1', 'm2') }) },
);
const which: fc.Arbitrary<Which> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ index: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ idempotencyKey: key, orderingKey }) },
  { weight: 1, arbitrary: fc.record({ messageId: fc.constantFrom('m1', 'm2', 'nobody') }) },
);

const send = fc
  .tuple(fc.array(draft, { minLength: 1, maxLength: 5 }), fc.nat(1))
  .map(([drafts, by]) => new Send(drafts, by));

/** What stands here twice is done twice as often. */
export const sending = [
  send,
  send,
  send,
  which.map((one) => new Cancel(one)),
  fc.tuple(which, fc.boolean()).map(([one, isDue]) => new Reschedule(one, isDue)),
];
