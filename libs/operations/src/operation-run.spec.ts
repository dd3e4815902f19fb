import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock, type BrokerAdmin, type DeadLetterFilter } from '@millrace/core';
import { connectInMemory } from '@millrace/testing';
import { DeadGroup } from '../test/dead-group.js';
import type { ExportSink } from './export/export-sink.js';
import type { OperationKind, OperationSpec } from './operation.js';
import { OperationRun, type RunOutcome } from './operation-run.js';
import type { SavedProgress } from './saved-progress.js';

let group: DeadGroup;
beforeEach(() => {
  group = new DeadGroup(connectInMemory());
});
afterEach(() => group.close());

/** One operation as its store sees it, over as many runs as a test wants. */
class Operation {
  saved: SavedProgress | undefined;
  saves = 0;
  verdict: () => 'go-on' | 'stop' | 'hand-back' = () => 'go-on';

  private constructor(
    readonly spec: OperationSpec,
    private readonly admin: BrokerAdmin,
    private readonly sink?: ExportSink,
  ) {}

  static async of(
    kind: OperationKind,
    options: Partial<OperationSpec> & { filter?: DeadLetterFilter } = {},
    parts: { admin?: BrokerAdmin; sink?: ExportSink } = {},
  ): Promise<Operation> {
    const { topic, group: name, admin } = group;
    const known = { kind, topic, group: name, filter: {}, dryRun: false, force: false, diedUntil: await admin.now() };
    return new Operation({ ...known, ...options }, parts.admin ?? admin, parts.sink);
  }

  run(): Promise<RunOutcome> {
    return new OperationRun({
      spec: this.spec,
      admin: this.admin,
      sink: this.sink,
      clock: systemClock,
      saved: this.saved,
      save: async (progress) => {
        this.saves++;
        this.saved = structuredClone(progress);
      },
      verdict: async () => this.verdict(),
    }).run();
  }
}

/** Ports that die after so many calls that change something: the call takes effect, its answer is never seen. */
function dyingAfter(calls: number): BrokerAdmin {
  let left = calls;
  return new Proxy(group.admin, {
    get(target, name: keyof BrokerAdmin) {
      const method = target[name].bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (name !== 'redrive' && name !== 'purgeDeadLetters') return method;
      return async (...args: unknown[]) => {
        const answer = await method(...args);
        if (--left === 0) throw new Error('killed');
        return answer;
      };
    },
  });
}

describe('a redrive', () => {
  it('returns every dead letter to its group once, and says how many', async () => {
    const ids = await group.die(250);
    await group.receive(250, 'other');
    const redrive = await Operation.of('redrive');
    expect(await redrive.run()).toBe('done');
    expect(redrive.saved).toMatchObject({ total: 250, done: 250, quarantined: 0, gone: 0 });
    const again = await group.receive(250);
    expect(again.map(({ message }) => message.messageId).toSorted()).toEqual(ids.toSorted());
    expect(await group.receive(1, 'other')).toEqual([]);
  });

  it('with dryRun only counts', async () => {
    await group.die(3);
    await group.die(2, { generation: 3 });
    const redrive = await Operation.of('redrive', { dryRun: true });
    expect(await redrive.run()).toBe('done');
    expect(redrive.saved).toMatchObject({ total: 3, done: 0, quarantined: 2 });
    expect(await group.dead()).toBe(5);
  });

  it('takes what the filter lets through', async () => {
    const failure = { attempt: 1, at: 1, durationMs: 1, error: 'TypeError', text: '' };
    await group.die(3);
    await group.die(2, { failures: [failure] });
    const redrive = await Operation.of('redrive', { filter: { error: 'TypeError' } });
    await redrive.run();
    expect(redrive.saved).toMatchObject({ total: 2, done: 2 });
    expect(await group.dead()).toBe(3);
  });

  it('leaves what was redriven three times, unless forced', async () => {
    await group.die(4, { generation: 3 });
    const careful = await Operation.of('redrive');
    await careful.run();
    expect(careful.saved).toMatchObject({ total: 0, done: 0, quarantined: 4 });
    const forced = await Operation.of('redrive', { force: true });
    await forced.run();
    expect(forced.saved).toMatchObject({ total: 4, done: 4, quarantined: 0 });
  });

  it('never redrives what died after it began: it cannot run after its own tail', async () => {
    await group.die(20);
    const diedUntil = await group.admin.now();
    let deaths = 0;
    // Whatever it redrives dies again at once.
    const admin = new Proxy(group.admin, {
      get(target, name: keyof BrokerAdmin) {
        if (name !== 'redrive') return target[name].bind(target) as unknown;
        return async (...args: Parameters<BrokerAdmin['redrive']>) => {
          const redriven = await target.redrive(...args);
          deaths += (await group.bury(await group.receive(redriven.length))).length;
          return redriven;
        };
      },
    });
    const loop = await Operation.of('redrive', { diedUntil }, { admin });
    await loop.run();
    expect(loop.saved).toMatchObject({ total: 20, done: 20 });
    expect(deaths).toBe(20);
    expect(
      (await group.admin.listDeadLetters(group.topic, group.group)).letters.map(({ state }) => state.generation),
    ).toEqual(Array.from({ length: 20 }, () => 1));
  });

  it('leaves alone what somebody else redrove and what died again, between its look and its turn', async () => {
    const ids = await group.die(10);
    const { admin, topic, group: name } = group;
    let interfered = false;
    const racing = new Proxy(admin, {
      get(target, method: keyof BrokerAdmin) {
        if (method !== 'redrive') return target[method].bind(target) as unknown;
        return async (...args: Parameters<BrokerAdmin['redrive']>) => {
          if (!interfered) {
            interfered = true;
            await target.redrive(topic, name, { messageIds: ids });
            await group.bury(await group.receive(10));
          }
          return target.redrive(...args);
        };
      },
    });
    const run = await Operation.of('redrive', {}, { admin: racing });
    await run.run();
    expect(run.saved).toMatchObject({ total: 10, done: 0, gone: 10 });
    expect(await group.dead()).toBe(10);
  });

  it('killed after any of its steps and run again redrives each letter once and counts each once', async () => {
    for (let step = 1; step <= 4; step++) {
      const ids = await group.die(35);
      const rate = { max: 100, perMs: 1000 };
      const killed = await Operation.of('redrive', { rate }, { admin: dyingAfter(step) });
      await expect(killed.run()).rejects.toThrow('killed');
      const resumed = await Operation.of('redrive', { rate, diedUntil: killed.spec.diedUntil });
      resumed.saved = killed.saved;
      expect(await resumed.run()).toBe('done');
      expect(resumed.saved).toMatchObject({ total: 35, done: 35, gone: 0 });
      const again = await group.receive(35);
      expect(again.map(({ message }) => message.messageId).toSorted()).toEqual(ids.toSorted());
      expect(again.every(({ state }) => state.generation === 1)).toBe(true);
      await group.ports.broker.settle(again.map((delivery) => ({ delivery, settlement: { type: 'ack' } })));
    }
  });

  it('stops when it is told to, and goes on where it was', async () => {
    await group.die(40);
    const redrive = await Operation.of('redrive', { rate: { max: 100, perMs: 1000 } });
    let asked = 0;
    redrive.verdict = () => (++asked > 3 ? 'stop' : 'go-on');
    expect(await redrive.run()).toBe('stopped');
    const { done } = redrive.saved!;
    expect(done).toBeGreaterThan(0);
    expect(await group.dead()).toBe(40 - done);
    redrive.verdict = () => 'go-on';
    expect(await redrive.run()).toBe('done');
    expect(redrive.saved).toMatchObject({ total: 40, done: 40 });
    expect(await group.receive(41)).toHaveLength(40);
  });

  it('counts as gone what others took first', async () => {
    const [first] = await group.die(5);
    let asked = 0;
    const { admin, topic, group: name } = group;
    const racing = new Proxy(admin, {
      get(target, method: keyof BrokerAdmin) {
        if (method !== 'redrive') return target[method].bind(target) as unknown;
        return async (...args: Parameters<BrokerAdmin['redrive']>) => {
          if (asked++ === 0) await target.purgeDeadLetters(topic, name, [first!]);
          return target.redrive(...args);
        };
      },
    });
    const raced = await Operation.of('redrive', {}, { admin: racing });
    await raced.run();
    expect(raced.saved).toMatchObject({ total: 5, done: 4, gone: 1 });
  });
});

describe('a purge', () => {
  it('removes what it means for good, also when it is killed, and counts each once', async () => {
    await group.die(35);
    const rate = { max: 100, perMs: 1000 };
    const killed = await Operation.of('purge', { rate }, { admin: dyingAfter(2) });
    await expect(killed.run()).rejects.toThrow('killed');
    await group.die(2);
    const resumed = await Operation.of('purge', { diedUntil: killed.spec.diedUntil });
    resumed.saved = killed.saved;
    await resumed.run();
    expect(resumed.saved).toMatchObject({ total: 35, done: 35, gone: 0 });
    expect(await group.dead()).toBe(2);
    expect(await group.receive(1)).toEqual([]);
  });
});

describe('an export', () => {
  it('gives every letter to the sink, oldest first, and leaves it dead', async () => {
    const ids = await group.die(45);
    const written: string[] = [];
    const sink: ExportSink = {
      write: async (letters) => {
        written.push(...letters.map(({ messageId }) => messageId));
        expect(letters.every(({ body }) => typeof (body as { n: unknown }).n === 'number')).toBe(true);
        return undefined;
      },
      end: async () => void written.push('end'),
    };
    const run = await Operation.of('export', {}, { sink });
    expect(await run.run()).toBe('done');
    expect(run.saved).toMatchObject({ total: 45, done: 45 });
    expect(written.at(-1)).toBe('end');
    expect(written.slice(0, -1).toSorted()).toEqual(ids.toSorted());
    expect(await group.dead()).toBe(45);
  });
});
