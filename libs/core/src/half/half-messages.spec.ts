// Half messages as producers use them, on the virtual clock (issue 5, "Done when" 4).
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ManualClock } from '@millrace/testing';
import { ending, MINUTE, ProducerGroup, says, SECOND } from '../../test/producer-group.js';
import { BrokerRefusedError } from '../errors.js';
import type { MqEventMap } from '../events.js';
import type { TransactionDecision } from './half-message.js';
import type { LocalTransactionContext } from './local-transaction.js';

let group: ProducerGroup;
let clock: ManualClock;
let delivered: unknown[];

beforeEach(() => {
  group = new ProducerGroup();
  ({ clock, delivered } = group);
});

afterEach(() => group.close());

const open = (...how: Parameters<ProducerGroup['open']>) => group.open(...how);

describe('a transactional send', () => {
  it('delivers the message when its local transaction commits, and not before', async () => {
    const { mq, drain } = await open();
    let told: LocalTransactionContext | undefined;
    const receipt = await mq.producer.sendInTransaction('orders:paid', { id: 1 }, async (context) => {
      told = context;
      await drain();
      expect(delivered).toEqual([]);
      expect(await group.stats()).toMatchObject({ half: 1, accepted: 1 });
      return 'commit';
    });
    expect(receipt).toMatchObject({ state: 'accepted', duplicate: false, topic: 'orders', messageId: told!.messageId });
    await drain();
    expect(delivered).toEqual([{ id: 1 }]);
    expect(await group.stats()).toMatchObject({ half: 0, accepted: 1 });
  });

  it('delivers nothing when its local transaction rolls back, and nobody is asked', async () => {
    const { mq, drain, asked } = await open();
    const receipt = await mq.producer.sendInTransaction('orders', 1, says('rollback'));
    expect(receipt.state).toBe('rolled-back');
    await clock.advance(10 * MINUTE);
    await drain();
    expect({ delivered, asked }).toEqual({ delivered: [], asked: [] });
  });

  it('unknown, then a commit by another process when the first one is gone', async () => {
    const first = await open();
    const receipt = await first.mq.producer.sendInTransaction('orders', { id: 7 }, says('unknown'));
    expect(receipt.state).toBe('half');
    await first.mq.close();
    const second = await open(says('commit'));
    await clock.advance(6 * SECOND);
    await second.drain();
    expect(first.asked).toEqual([]);
    expect(second.asked).toMatchObject([
      {
        message: { messageId: receipt.messageId, body: { id: 7 } },
        context: { checks: 1, producerGroup: 'producers' },
      },
    ]);
    expect(delivered).toEqual([{ id: 7 }]);
    await clock.advance(10 * MINUTE);
    expect(second.asked).toHaveLength(1);
  });

  it('is asked about first after 6 s, then every 60 s, 15 times, and then parked: not before, not after', async () => {
    const { mq, asked, parked } = await open(says('unknown'), {}, { consumes: false });
    const { messageId } = await mq.producer.sendInTransaction('orders', 1, says('unknown'));
    const start = clock.now();
    await clock.advance(5999);
    expect(asked).toEqual([]);
    await clock.advance(1 + 14 * MINUTE);
    expect(asked.map(({ at }) => at - start)).toEqual(Array.from({ length: 15 }, (_, n) => 6000 + n * MINUTE));
    expect(asked.map(({ context }) => context.checks)).toEqual(Array.from({ length: 15 }, (_, n) => n + 1));
    await clock.advance(MINUTE - 1);
    expect(parked).toEqual([]);
    await clock.advance(1);
    expect(parked).toEqual([
      { topic: 'orders', producerGroup: 'producers', messageId, checks: 15, since: new Date(start) },
    ]);
    await clock.advance(2 * MINUTE);
    expect({ asked: asked.length, parked: parked.length }).toEqual({ asked: 15, parked: 1 });
    expect(await group.stats()).toMatchObject({ half: 1, parkedHalves: 1 });
  });

  it('a commit after parking is a typed error; resumed by an operator, it is asked about again and can commit', async () => {
    let answer: TransactionDecision = 'unknown';
    const { mq, asked, parked, drain } = await open(async () => answer, { maxChecks: 2 });
    let decide!: (decision: TransactionDecision) => void;
    const sent = mq.producer.sendInTransaction('orders', 1, () => new Promise((resolve) => (decide = resolve)));
    const ended = ending(sent);
    await clock.advance(3 * MINUTE);
    const [{ messageId }] = parked as [MqEventMap['half-parked']];
    decide('commit');
    expect(await ended).toBe('MQ_HALF_PARKED');
    await drain();
    expect(delivered).toEqual([]);
    answer = 'commit';
    expect(await mq.admin.resumeHalf('orders', messageId)).toBe('resumed');
    await clock.advance(SECOND);
    await drain();
    expect(asked.at(-1)!.context.checks).toBe(1);
    expect(delivered).toEqual([1]);
  });

  it('what its local transaction throws is thrown, and the message is checked', async () => {
    const { mq, drain } = await open(says('commit'));
    const broken = new Error('the connection to the database broke while it committed');
    await expect(
      mq.producer.sendInTransaction('orders', 1, async () => {
        throw broken;
      }),
    ).rejects.toBe(broken);
    await clock.advance(6 * SECOND);
    await drain();
    expect(delivered).toEqual([1]);
  });

  it('an answer that is none is an InvalidOptionError, and the message is checked', async () => {
    const { mq, asked } = await open();
    const wrong = (() => 'yes') as unknown as () => Promise<TransactionDecision>;
    await expect(mq.producer.sendInTransaction('orders', 1, wrong)).rejects.toMatchObject({
      option: 'sendInTransaction.localTransaction',
      given: 'yes',
    });
    await clock.advance(6 * SECOND);
    expect(asked).toHaveLength(1);
  });

  it('a delay counts from the commit, whoever commits', async () => {
    const { mq, drain } = await open(says('commit'));
    const sent = await mq.producer.sendInTransaction('orders', 'sender', says('commit'), { delay: '30s' });
    expect(sent).toMatchObject({ state: 'scheduled', dueAt: new Date(clock.now() + 30 * SECOND) });
    await mq.producer.sendInTransaction('orders', 'check', says('unknown'), { delay: '30s' });
    await clock.advance(29_999);
    await drain();
    expect(delivered).toEqual([]);
    await clock.advance(1);
    await drain();
    expect(delivered).toEqual(['sender']);
    await clock.advance(6 * SECOND);
    await drain();
    expect(delivered).toEqual(['sender', 'check']);
  });

  it('a second one under its idempotency key runs nothing and says how the first one stands', async () => {
    const { mq } = await open(says('rollback'));
    const options = { idempotencyKey: 'o-1', orderingKey: 'customer-1', delay: '1h' } as const;
    const first = await mq.producer.sendInTransaction('orders', 1, says('unknown'), options);
    let ran = 0;
    const again = () => mq.producer.sendInTransaction('orders', 1, async () => (ran++, 'commit'), options);
    expect(await again()).toEqual({ ...first, duplicate: true });
    await expect(
      mq.producer.sendInTransaction('orders', 2, async () => (ran++, 'commit'), options),
    ).rejects.toMatchObject({
      code: 'MQ_IDEMPOTENCY_CONFLICT',
    });
    expect(ran).toBe(0);
    await clock.advance(6 * SECOND);
    expect(await again()).toMatchObject({ duplicate: false, state: 'scheduled' });
    expect(ran).toBe(1);
  });

  it('a message may say when it is asked about first', async () => {
    const { mq, asked } = await open(says('unknown'), { checkAfter: '2s' });
    const start = clock.now();
    await mq.producer.sendInTransaction('orders', 'default', says('unknown'));
    await mq.producer.sendInTransaction('orders', 'slow', says('unknown'), { checkAfter: '20s' });
    await clock.advance(30 * SECOND);
    expect(asked.map(({ message, at }) => [message.body, at - start])).toEqual([
      ['default', 2000],
      ['slow', 20_000],
    ]);
  });
});

describe('a decision that does not reach the broker', () => {
  it('is not an error of the transaction: the receipt says half and why, and the check-back carries it over', async () => {
    const { mq, ports, drain } = await open(says('commit'));
    const away = new BrokerRefusedError('away', 'MQ_UNAVAILABLE');
    ports.faults.failNext('half.commit', away);
    const receipt = await mq.producer.sendInTransaction('orders', 1, says('commit'));
    expect(receipt).toMatchObject({ state: 'half', error: away });
    await clock.advance(6 * SECOND);
    await drain();
    expect(delivered).toEqual([1]);
  });

  it('whose reply alone was lost has been taken: it is delivered once, and nobody is asked', async () => {
    const { mq, ports, drain, asked } = await open(says('rollback'));
    ports.faults.loseReply('half.commit', new BrokerRefusedError('no answer', 'MQ_UNAVAILABLE'));
    expect(await mq.producer.sendInTransaction('orders', 1, says('commit'))).toMatchObject({ state: 'half' });
    await clock.advance(MINUTE);
    await drain();
    expect({ delivered, asked }).toEqual({ delivered: [1], asked: [] });
  });

  it('a half message whose preparation failed runs no local transaction', async () => {
    const { mq, ports } = await open();
    ports.faults.failNext('half.prepare', new BrokerRefusedError('away', 'MQ_UNAVAILABLE'));
    let ran = false;
    const sent = mq.producer.sendInTransaction('orders', 1, async () => ((ran = true), 'commit'));
    await expect(sent).rejects.toMatchObject({ code: 'MQ_UNAVAILABLE' });
    expect(ran).toBe(false);
  });

  it('a check that was first with the same decision is no error; with the other one it is MQ_HALF_SETTLED', async () => {
    for (const decision of ['commit', 'rollback'] as const) {
      const { mq, drain } = await open(says(decision), { producerGroup: decision });
      let decide!: (decision: TransactionDecision) => void;
      const sent = mq.producer.sendInTransaction(
        'orders',
        decision,
        () => new Promise((resolve) => (decide = resolve)),
        {
          producerGroup: decision,
        },
      );
      const seen = ending(sent);
      await clock.advance(6 * SECOND);
      decide('commit');
      expect(await seen).toBe(decision === 'commit' ? 'accepted' : 'MQ_HALF_SETTLED');
      await drain();
    }
    expect(delivered).toEqual(['commit']);
  });

  it('of a half message that the store has lost since is made good: the message is sent', async () => {
    const { mq, drain } = await open();
    const receipt = await mq.producer.sendInTransaction('orders', 1, async () => {
      for (const { halves } of group.store.find('orders')!.shards) halves.all.clear();
      return 'commit';
    });
    expect(receipt.state).toBe('accepted');
    await drain();
    expect(delivered).toEqual([1]);
  });

  it('of a half message that was decided so long ago that nobody remembers is MQ_HALF_NOT_FOUND, and not sent again', async () => {
    const { mq, drain } = await open(says('commit'));
    let decide!: (decision: TransactionDecision) => void;
    const sent = mq.producer.sendInTransaction('orders', 1, () => new Promise((resolve) => (decide = resolve)));
    const ended = ending(sent);
    await clock.advance(20 * MINUTE);
    decide('commit');
    expect(await ended).toBe('MQ_HALF_NOT_FOUND');
    await drain();
    expect(delivered).toEqual([1]);
  });
});
