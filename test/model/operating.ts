// Commands of operators: parked keys, dead letters, pauses.
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { BrokerModel } from './broker-model.js';
import { BrokerCommand, type Weighted } from './command.js';
import { LEASE_MS } from './shape.js';
import { OWNING, SHARING, type World } from './world.js';

const ALL = { offset: 0, limit: 1000 };
type Group = 'g' | 'o';
const groupOf = (model: Readonly<BrokerModel>, group: Group): BrokerModel['groups'][number] =>
  group === 'g' ? model.concurrent : model.ordered;

export class ResumeKey extends BrokerCommand {
  constructor(private readonly orderingKey: string) {
    super();
  }

  protected async act({ ordered }: BrokerModel, { ports, topic }: World): Promise<void> {
    const expected = ordered.resume(this.orderingKey);
    expect(await ports.admin.resumeKey(topic, 'o', this.orderingKey)).toBe(expected);
  }

  toString(): string {
    return `resume key ${this.orderingKey}`;
  }
}

class SkipKey extends BrokerCommand {
  constructor(private readonly orderingKey: string) {
    super();
  }

  protected async act({ ordered }: BrokerModel, { processes, topic }: World): Promise<void> {
    const expected = ordered.skip(this.orderingKey);
    expect(await processes[1]!.admin.skipKey(topic, 'o', this.orderingKey)).toEqual(expected);
  }

  toString(): string {
    return `skip key ${this.orderingKey}`;
  }
}

export class ListParked extends BrokerCommand {
  protected async act({ ordered, now }: BrokerModel, { ports, topic }: World): Promise<void> {
    const rows = await ports.admin.parkedKeys(topic, 'o', ALL);
    const seen = rows.map(({ orderingKey, state, messages, messageId, attempt, reason, dueInMs }) => {
      return { orderingKey, state, messages, messageId, attempt, reason, dueInMs };
    });
    const expected = [...ordered.keys.values()].map((key) => {
      const { orderingKey, state, members, first, reasons } = key;
      const { id: messageId, attempt } = first.message;
      const due = state.type === 'waiting' ? Math.max(0, state.due - now) : state.type === 'ready' ? 0 : undefined;
      const word = key.isRetrying ? 'waiting' : state.type === 'taken' ? 'running' : 'exhausted';
      const row = { orderingKey, state: word, messages: members.length, messageId, attempt };
      return { ...row, reason: reasons.get(messageId), dueInMs: due };
    });
    expect(seen.toSorted(byKey)).toEqual(expected.toSorted(byKey));
  }

  toString(): string {
    return 'list the parked keys';
  }
}

class Pause extends BrokerCommand {
  constructor(
    private readonly scope: 'topic' | Group,
    private readonly forMs: number | undefined,
  ) {
    super();
  }

  protected async act(model: BrokerModel, { ports, topic }: World): Promise<void> {
    const until = this.forMs === undefined ? undefined : model.now + this.forMs;
    model.pauses.set(this.scope, { until });
    const group = this.scope === 'topic' ? undefined : this.scope;
    const order = { by: 'ana', why: 'a run', until: until === undefined ? undefined : new Date(until) };
    await ports.admin.pause(topic, { ...order, ...(group && { group }) });
  }

  toString(): string {
    return `pause(${this.scope}${this.forMs === undefined ? '' : ` for ${this.forMs} ms`})`;
  }
}

class Resume extends BrokerCommand {
  constructor(private readonly scope: 'topic' | Group) {
    super();
  }

  protected async act(model: BrokerModel, { processes, topic }: World): Promise<void> {
    const expected = model.pauseOf(this.scope) !== undefined;
    model.pauses.delete(this.scope);
    const options = this.scope === 'topic' ? {} : { group: this.scope };
    expect(await processes[1]!.admin.resume(topic, options)).toBe(expected);
  }

  toString(): string {
    return `resume(${this.scope})`;
  }
}

/** Every member, with its next sign of life, sees what is paused. */
class Beat extends BrokerCommand {
  protected async act(model: BrokerModel, world: World): Promise<void> {
    for (const { name, group, process } of [...SHARING, ...OWNING]) {
      const { pauses } = await world.processes[process]!.control.beat(world.subscriptions.get(name)!);
      const seen = pauses.map(({ scope, leftMs }) => ({ scope, leftMs }));
      const expected = (['topic', group] as const).flatMap((scope) => {
        const pause = model.pauseOf(scope);
        const leftMs = pause?.until === undefined ? undefined : pause.until - model.now;
        return pause ? [{ scope: scope === 'topic' ? 'topic' : 'group', leftMs }] : [];
      });
      expect({ name, seen }).toEqual({ name, seen: expected });
    }
  }

  toString(): string {
    return 'every member gives a sign of life';
  }
}

class Redrive extends BrokerCommand {
  constructor(
    private readonly group: Group,
    private readonly picks: readonly number[] | 'all',
    private readonly force: boolean,
  ) {
    super();
  }

  override check(model: Readonly<BrokerModel>): boolean {
    return groupOf(model, this.group).dead.length > 0;
  }

  /** Of the ordered group one at a time: between those of one call there is no order. */
  protected async act(model: BrokerModel, world: World): Promise<void> {
    const group = groupOf(model, this.group);
    const all = chosen(group.dead, this.picks);
    const ids = this.group === 'o' ? all.slice(0, 1) : all;
    const expected = group.redrive(ids, this.force);
    const which = this.picks === 'all' && this.group === 'g' ? { max: 1000 } : { messageIds: ids };
    const { admin } = world.processes[1]!;
    const redriven = await admin.redrive(world.topic, this.group, { ...which, force: this.force });
    expect(redriven.toSorted()).toEqual(expected.toSorted());
  }

  toString(): string {
    return `redrive(${this.group}, ${String(this.picks)}${this.force ? ', forced' : ''})`;
  }
}

class Purge extends BrokerCommand {
  constructor(
    private readonly group: Group,
    private readonly picks: readonly number[],
  ) {
    super();
  }

  override check(model: Readonly<BrokerModel>): boolean {
    return groupOf(model, this.group).dead.length > 0;
  }

  protected async act(model: BrokerModel, { ports, topic }: World): Promise<void> {
    const group = groupOf(model, this.group);
    const ids = [...chosen(group.dead, this.picks), 'nobody'];
    const expected = group.purge(ids);
    expect(await ports.admin.purgeDeadLetters(topic, this.group, ids)).toBe(expected);
  }

  toString(): string {
    return `purge(${this.group}, ${this.picks.join(' ')})`;
  }
}

export class ListDeadLetters extends BrokerCommand {
  constructor(private readonly group: Group) {
    super();
  }

  protected async act(model: BrokerModel, { ports, topic }: World): Promise<void> {
    const letters = await ports.admin.deadLetters(topic, this.group, ALL);
    const seen = letters.map(({ messageId, state: { attempt, crashes, generation }, reason, message }) => {
      return { id: messageId, attempt, crashes, generation, reason, text: `${message.tag}/${message.body.toString()}` };
    });
    const expected = groupOf(model, this.group).dead.map(({ id, attempt, crashes, generation, reason }) => {
      return { id, attempt, crashes, generation, reason, text: model.messages.get(id)!.text };
    });
    expect(seen.toSorted(byId)).toEqual(expected.toSorted(byId));
  }

  toString(): string {
    return `list the dead letters of ${this.group}`;
  }
}

function chosen(dead: readonly { id: string }[], picked: readonly number[] | 'all'): string[] {
  if (picked === 'all') return dead.map(({ id }) => id);
  return [...new Set(picked.map((pick) => dead[pick % dead.length]!.id))];
}

const byKey = (a: { orderingKey: string }, b: { orderingKey: string }): number =>
  a.orderingKey.localeCompare(b.orderingKey);
const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id);

const group = fc.constantFrom<Group[]>('g', 'o');
const scope = fc.constantFrom<('topic' | Group)[]>('topic', 'g', 'o');
const picks = fc.array(fc.nat(12), { minLength: 1, maxLength: 3 });
const orderingKey = fc.constantFrom('o1', 'o1', 'o2');

const some = fc.oneof(fc.constant('all' as const), picks);

export const aboutKeys: Weighted = [
  [2, orderingKey.map((key) => new ResumeKey(key))],
  [1, orderingKey.map((key) => new SkipKey(key))],
  [1, fc.constant(new ListParked())],
];
export const aboutDeadLetters: Weighted = [
  [2, fc.tuple(group, some, fc.boolean()).map(([of, which, force]) => new Redrive(of, which, force))],
  [1, fc.tuple(group, picks).map(([of, which]) => new Purge(of, which))],
  [1, group.map((of) => new ListDeadLetters(of))],
];
export const aboutPauses: Weighted = [
  [2, fc.tuple(scope, fc.constantFrom(undefined, LEASE_MS)).map(([of, ms]) => new Pause(of, ms))],
  [1, scope.map((of) => new Resume(of))],
  [2, fc.constant(new Beat())],
];
