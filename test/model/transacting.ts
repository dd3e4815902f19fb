// Commands of transactional producers: prepare a half message, commit it, roll it back; at any time, and again.
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { BrokerModel } from './broker-model.js';
import { BrokerCommand, type Weighted } from './command.js';
import { outgoing, type Draft } from './draft.js';
import { HOUR_MS } from './shape.js';
import { anyDraft, answerOf, inShape, nextId } from './sending.js';
import type { World } from './world.js';

class Prepare extends BrokerCommand {
  constructor(private readonly draft: Draft) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const half = inShape(this.draft, model);
    const id = nextId(half);
    const expected = model.prepare(half, id);
    const owner = { producerGroup: 'p', checkAfterMs: 1000 * HOUR_MS };
    const result = await world.ports.half!.prepare(outgoing(world.topic, half, id, 0), owner);
    expect(answerOf(result)).toEqual(expected);
  }

  toString(): string {
    return `prepare(${JSON.stringify(this.draft)})`;
  }
}

class Decide extends BrokerCommand {
  constructor(
    private readonly pick: number,
    private readonly decision: 'committed' | 'rolled-back',
  ) {
    super();
  }

  override check({ halves }: Readonly<BrokerModel>): boolean {
    return halves.length > 0;
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const ref = model.halves.at(-1 - (this.pick % model.halves.length))!;
    const expected = model.decide(ref.messageId, this.decision);
    const half = world.processes[1]!.half!;
    const answer = await (this.decision === 'committed'
      ? half.commit(world.topic, ref)
      : half.rollback(world.topic, ref));
    expect({ ref, state: answer.state }).toEqual({ ref, state: expected });
  }

  toString(): string {
    return `${this.decision}(half ${this.pick})`;
  }
}

const decide = (decision: 'committed' | 'rolled-back'): fc.Arbitrary<Decide> =>
  fc.nat(3).map((pick) => new Decide(pick, decision));

export const transacting: Weighted = [
  [2, anyDraft.map((one) => new Prepare(one))],
  [2, decide('committed')],
  [1, decide('rolled-back')],
];
