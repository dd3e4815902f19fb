// Which calls leave for starts and settlements of one turn.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FIRST_DELIVERY, type Settlement, type Subscription } from '@millrace/core';
import type { Caller } from './caller.js';
import type { NotedDelivery } from './delivery-names.js';
import { ShardKeys } from './keys.js';
import { Leases } from './leases.js';
import type { ScriptArgument } from './scripts.js';
import { Settler } from './settler.js';
import { GroupShard } from './streams.js';

const subscription: Subscription = {
  topic: 'orders',
  group: 'g',
  consumer: 'c',
  mode: 'concurrent',
  startFrom: 'first',
  leaseMs: 30_000,
  shards: 1,
  queuesPerShard: 2,
};

describe('start marks', () => {
  let calls: [script: string, args: readonly ScriptArgument[]][];
  let settler: Settler;
  let leases: Leases;

  beforeEach(() => {
    calls = [];
    const caller: Pick<Caller, 'run' | 'freeze' | 'insist'> = {
      run: async (script, _, args) => calls.push([script, args]),
      freeze: async (script, _, __, args) => (calls.push([script, args]), 'SETTLED'),
      insist: (freeze) => freeze(),
    };
    const shard = new GroupShard(subscription, 0, new ShardKeys('mq', 'orders', 0));
    settler = new Settler(shard, caller as Caller, () => undefined);
    leases = new Leases(shard, caller as Caller, (marks) => settler.carry(marks));
  });

  const delivery = (queue: number, entryId: string, noted?: number): NotedDelivery =>
    ({
      ...subscription,
      shard: 0,
      queue,
      source: 'queue',
      entryId,
      noted,
      state: FIRST_DELIVERY,
    }) as unknown as NotedDelivery;
  const settle = (entryId: string, settlement: Settlement = { type: 'ack' }): Promise<unknown> =>
    settler.settle([{ delivery: { ...delivery(0, entryId), message: MESSAGE }, settlement }]);
  const MESSAGE = { messageId: 'm', tag: '', orderingKey: '', meta: '{"v":1,"at":1}', body: Buffer.from('1') };

  it('take along what waits to be acknowledged, the latest start of each stream for all', async () => {
    const settled = settle('1-0');
    await leases.markStarted([delivery(0, '9-0'), delivery(0, '10-0'), delivery(1, '5-0')]);
    await expect(settled).resolves.toEqual(['settled']);
    expect(calls).toEqual([['ack', ['g', 'c', 4, 'w:c:q0:', '10-0', 'w:c:q1:', '5-0', '', '', '1-0']]]);
  });

  it('leave alone when nothing waits', async () => {
    await leases.markStarted([delivery(0, '9-0')]);
    expect(calls).toEqual([['mark-started', ['w:c:q0:', '9-0']]]);
  });

  it('do not take along what is more than an acknowledgement', async () => {
    const settled = settle('1-0', { type: 'release', delayMs: 0 });
    await leases.markStarted([delivery(0, '9-0')]);
    await settled;
    expect(calls.map(([script]) => script)).toEqual(['mark-started', 'settle']);
  });

  it('are notes of their own for what was taken over', async () => {
    const settled = settle('1-0');
    await leases.markStarted([delivery(0, '9-0', 1)]);
    await settled;
    expect(calls.map(([script]) => script)).toEqual(['note-started', 'ack']);
  });
});
