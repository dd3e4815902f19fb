// Commands about deliveries that somebody was given, by their place in the list, counted from the latest: also about those
// that are over, as a process sees them that stood still and comes back late.
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { BrokerModel } from './broker-model.js';
import { BrokerCommand } from './command.js';
import type { HandOver, Verdict } from './travelling.js';
import { settlementFor, type World } from './world.js';

export const somePicks = fc.array(fc.nat(12), { minLength: 1, maxLength: 4 });

export abstract class OnHandOvers extends BrokerCommand {
  constructor(
    protected readonly group: 'g' | 'o',
    protected readonly picks: readonly number[],
  ) {
    super();
  }

  override check(model: Readonly<BrokerModel>): boolean {
    return handedOf(model, this.group).length > 0;
  }

  protected places(model: BrokerModel): number[] {
    const handed = handedOf(model, this.group);
    return this.picks.map((pick) => latest(handed, handed[handed.length - 1 - (pick % handed.length)]!));
  }
}

/** Who was given it twice knows the latest hand-over only. */
const latest = (handed: readonly HandOver[], { key, owner, epoch }: HandOver): number =>
  handed.findLastIndex((other) => other.key === key && other.owner === owner && other.epoch === epoch);

const handedOf = (model: Readonly<BrokerModel>, group: 'g' | 'o'): readonly HandOver[] =>
  (group === 'g' ? model.concurrent : model.ordered).handed;

/** A call for each member, as consumers make them; the answers are those of the model, in its order. */
export async function settle(
  model: BrokerModel,
  world: World,
  { group, process }: { group: 'g' | 'o'; process: number },
  items: readonly { readonly place: number; readonly verdict: Verdict }[],
): Promise<void> {
  const of = group === 'g' ? model.concurrent : model.ordered;
  const members = new Set(items.map(({ place }) => world.handed[group][place]!.consumer));
  for (const member of members) {
    const ofMember = items.filter(({ place }) => world.handed[group][place]!.consumer === member);
    const calls = ofMember.map(({ place, verdict }, index) => {
      const delivery = world.handed[group][place]!;
      return { delivery, settlement: settlementFor(verdict, delivery, index) };
    });
    const expected = ofMember.map(({ place, verdict }, index) => of.settle(of.handed[place]!, verdict, index));
    const answers = await world.processes[process]!.broker.settle(calls);
    expect({ ofMember, answers }).toEqual({ ofMember, answers: expected });
  }
}

export class Renew extends OnHandOvers {
  protected async act(model: BrokerModel, world: World): Promise<void> {
    const places = [...new Set(this.places(model))];
    const of = this.group === 'g' ? model.concurrent : model.ordered;
    const deliveries = places.map((place) => world.handed[this.group][place]!);
    const expected = places.filter((place) => of.renew(of.handed[place]!));
    const renewed = await world.ports.broker.renew(deliveries);
    const answers = places.filter((_, index) => renewed.includes(deliveries[index]!));
    expect({ places, answers }).toEqual({ places, answers: expected });
  }

  toString(): string {
    return `renew(${this.group}, ${this.picks.join(' ')})`;
  }
}
