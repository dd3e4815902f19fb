// Commands of a member about what it holds of the ordered group: it starts and settles as a consumer does. Of a key only
// the first may run; before it is settled so that it waits, those behind it take their places (docs/ordering.md).
import fc from 'fast-check';
import type { BrokerModel } from './broker-model.js';
import { anyVerdict } from './consuming.js';
import type { Weighted } from './command.js';
import { OnHandOvers, Renew, settle, somePicks } from './hand-overs.js';
import type { Verdict } from './travelling.js';
import type { World } from './world.js';

/** Hand-overs of the picked one's key that are still its owner's, the first of the key first; alone when it has no key. */
function laneOf({ ordered }: BrokerModel, place: number): number[] {
  const picked = ordered.handed[place]!;
  const { place: where, orderingKey } = ordered.leased.get(picked.key)!.entry.message;
  if (orderingKey === '') return [place];
  return ordered
    .lane(where.queue, orderingKey)
    .map((key) => ordered.handed.findLastIndex((other) => other.key === key && other.epoch === picked.epoch));
}

/** What has not come out of the parked key. */
const isFromStream = ({ ordered }: BrokerModel, place: number): boolean =>
  ordered.leased.get(ordered.handed[place]!.key)!.parked === undefined;

class StartHeads extends OnHandOvers {
  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { ordered } = model;
    const heads = this.places(model).map((place) => {
      return ordered.isOwned(ordered.handed[place]!) ? laneOf(model, place)[0]! : place;
    });
    for (const place of heads) ordered.start(ordered.handed[place]!);
    await world.ports.broker.markStarted(heads.map((place) => world.handed.o[place]!));
  }

  toString(): string {
    return `start(o, ${this.picks.join(' ')})`;
  }
}

export class SettleHead extends OnHandOvers {
  constructor(
    pick: number,
    private readonly verdict: Verdict,
    private readonly process: number,
  ) {
    super('o', [pick]);
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { ordered } = model;
    const [place] = this.places(model);
    const by = { group: 'o', process: this.process } as const;
    // Lost: whatever it says is refused. A message for no listener is passed over out of its turn.
    const isLost = !ordered.isOwned(ordered.handed[place!]!);
    if (isLost || (this.verdict.type === 'ack' && this.verdict.skipped === true))
      return settle(model, world, by, [{ place: place!, verdict: this.verdict }]);
    const [head, ...followers] = laneOf(model, place!);
    const { orderingKey } = ordered.leased.get(ordered.handed[head!]!.key)!.entry.message;
    // Nobody could resume what has no key.
    const isKeyless = orderingKey === '';
    if (isKeyless && (this.verdict.type === 'park' || this.verdict.type === 'follow')) return;
    const waits = this.verdict.type !== 'ack' && this.verdict.type !== 'dead-letter';
    const isParked = !isKeyless && (waits || ordered.keys.has(orderingKey));
    if (isParked) await this.follow(model, world, followers);
    if (this.verdict.type === 'follow') return;
    const leads = isParked && this.verdict.type === 'ack' && isFromStream(model, head!);
    const how = leads ? { ...this.verdict, leadsParked: true } : this.verdict;
    // Where its queue is owned by somebody, a broker may give it out at once or with the next promotion.
    const later = isKeyless && 'far' in how ? { ...how, far: true } : how;
    await settle(model, world, by, [{ place: head!, verdict: later }]);
  }

  toString(): string {
    return `settle(o, ${this.picks.join(' ')}, ${JSON.stringify(this.verdict)}) by process ${this.process}`;
  }

  private async follow(model: BrokerModel, world: World, followers: readonly number[]): Promise<void> {
    const items = followers
      .filter((place) => isFromStream(model, place))
      .map((place) => ({ place, verdict: { type: 'follow' } as const }));
    await settle(model, world, { group: 'o', process: this.process }, items);
  }
}

const fate: fc.Arbitrary<Verdict> = fc.oneof(
  { weight: 3, arbitrary: anyVerdict },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('retry' as const, 'release' as const), far: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Verdict[]>({ type: 'park' }, { type: 'follow' }) },
);
const settleHead = fc.tuple(fc.nat(12), fate, fc.nat(1)).map(([pick, how, by]) => new SettleHead(pick, how, by));

export const lanes: Weighted = [
  [12, settleHead],
  [2, somePicks.map((some) => new StartHeads('o', some))],
  [1, somePicks.map((some) => new Renew('o', some))],
];
