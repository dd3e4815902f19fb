import { BrokerRefusedError, TopicError } from '@millrace/core';
import type { Adapter } from '../adapters/adapter.js';
import { until } from '../until.js';
import { World, type TestProcess } from '../world.js';

export function cancelCases(adapter: Adapter): void {
  describe('outbox.cancel', () => {
    let world: World;
    let shop: TestProcess;

    beforeEach(async () => {
      world = new World(adapter);
      shop = await world.process();
    });
    afterEach(() => world.close());

    const send = (body: unknown, options = {}) =>
      shop.outbox.withTransaction(() => shop.outbox.send('timeouts', body, options));
    const cancel = (ref: { messageId: string } | { idempotencyKey: string; orderingKey?: string }) =>
      shop.outbox.withTransaction(() => shop.outbox.cancel('timeouts', ref));
    const waitsForLock = () =>
      until('the cancellation waits for the row', async () => {
        return adapter.server.isWaiting((text, values) => shop.sql(text, values), `%${world.prefix}outbox%`);
      });

    it('a message that has not left never leaves', async () => {
      const sent = await send('time-out', { delay: '15m' });
      expect(await cancel(sent)).toBe('cancelled');
      await shop.drain();
      expect(world.broker.asked).toEqual([]);
    });

    it('an order paid before its time-out was relayed never times out', async () => {
      await send('time-out of order 7', { delay: '15m', idempotencyKey: 'order 7' });
      await shop.outbox.withTransaction(async () => {
        expect(await shop.outbox.cancel('timeouts', { idempotencyKey: 'order 7' })).toBe('cancelled');
        await shop.outbox.send('orders:paid', 7);
      });
      await shop.drain();
      expect(world.broker.bodies()).toEqual([7]);
    });

    it('a message sent and cancelled in one transaction never leaves', async () => {
      await shop.outbox.withTransaction(async () => {
        const sent = await shop.outbox.send('timeouts', 1);
        expect(await shop.outbox.cancel('timeouts', sent)).toBe('cancelled');
      });
      await shop.drain();
      expect(world.broker.asked).toEqual([]);
    });

    it('a cancellation that is rolled back cancels nothing', async () => {
      const sent = await send('stays');
      const failing = shop.outbox.withTransaction(async () => {
        await shop.outbox.cancel('timeouts', sent);
        throw new Error('card declined');
      });
      await expect(failing).rejects.toThrow('card declined');
      await shop.drain();
      expect(world.broker.bodies()).toEqual(['stays']);
      expect(world.broker.cancelled).toEqual([]);
    });

    it('a message that has left is cancelled at the broker after the commit, not before', async () => {
      const sent = await send('scheduled', { delay: '15m' });
      await shop.drain();
      await shop.outbox.withTransaction(async () => {
        expect(await shop.outbox.cancel('timeouts', sent)).toBe('requested');
        await shop.drain();
        expect(world.broker.cancelled).toEqual([]);
      });
      await shop.drain();
      expect(world.broker.cancelled).toEqual([{ topic: 'timeouts', ref: { messageId: sent.messageId } }]);
      expect(world.broker.stored).toEqual([]);
    });

    it('a key of an ordering key is cancelled under both', async () => {
      await send(1, { idempotencyKey: 'k', orderingKey: 'a' });
      await send(2, { idempotencyKey: 'k', orderingKey: 'b' });
      await send(3, { idempotencyKey: 'k' });
      expect(await cancel({ idempotencyKey: 'k', orderingKey: 'a' })).toBe('cancelled');
      await shop.drain();
      expect(new Set(world.broker.bodies())).toEqual(new Set([2, 3]));
      expect(world.broker.cancelled.at(-1)?.ref).toEqual({ idempotencyKey: 'k', orderingKey: 'a' });
    });

    it('{ tx } cancels in the own transaction of the caller', async () => {
      const sent = await send(1);
      await shop.open.ownTransaction((tx) => shop.outbox.cancel('timeouts', sent, { tx }));
      await shop.drain();
      expect(world.broker.asked).toEqual([]);
    });

    it.each([{}, { orderingKey: 'lane' }])(
      'while the message is just being sent, the row lock decides: it has left (%j)',
      async (options) => {
        const sent = await send('leaving', options);
        const hold = world.broker.hold();
        const relaying = shop.relay.runOnce();
        await hold.reached;
        const cancelling = cancel(sent);
        await waitsForLock();
        hold.release();
        await relaying;
        expect(await cancelling).toBe('requested');
        await shop.drain();
        expect(world.broker.stored).toEqual([]);
        expect(world.broker.calls).toEqual([`send ${sent.messageId}`, `cancel ${sent.messageId}`]);
      },
    );

    it.each([{}, { orderingKey: 'lane' }])(
      'while it is cancelled, a relay passes it and sends the others (%j)',
      async (options) => {
        const sent = await send('going', options);
        const ordered = 'orderingKey' in options;
        await shop.outbox.withTransaction(async () => {
          await shop.outbox.cancel('timeouts', sent);
          await shop.open.ownTransaction((tx) => shop.outbox.send('timeouts', 'follower', { ...options, tx }));
          await shop.open.ownTransaction((tx) =>
            shop.outbox.send('timeouts', 'other', { ...(ordered && { orderingKey: 'lane 2' }), tx }),
          );
          await shop.drain();
          expect(world.broker.bodies()).toEqual(ordered ? ['other'] : ['follower', 'other']);
        });
        await shop.drain();
        expect(world.broker.bodies()).toEqual(ordered ? ['other', 'follower'] : ['follower', 'other']);
      },
    );

    it('a message whose relay died between send and mark is cancelled at the broker too', async () => {
      const sent = await send('stored, not marked', { delay: '15m' });
      world.broker.loseNextAnswer = new BrokerRefusedError('connection lost', 'MQ_UNAVAILABLE');
      await expect(shop.drain()).rejects.toThrow('connection lost');
      expect(world.broker.stored).toHaveLength(1);
      expect(await cancel(sent)).toBe('cancelled');
      await shop.drain();
      expect(world.broker.stored).toEqual([]);
    });

    it.each([
      ['key', { idempotencyKey: 'order 7' }, { idempotencyKey: 'order 7' }],
      ['id', { messageId: 'order 7' }, { messageId: 'order 7' }],
    ])(
      'a new message under the same %s is not overtaken by the cancellation of the old one',
      async (_, options, ref) => {
        await send('old', options);
        await shop.drain();
        await cancel(ref);
        await send('new', options);
        await shop.drain();
        expect(world.broker.calls.slice(1).map((call) => call.split(' ')[0])).toEqual(['cancel', 'send']);
        expect(world.broker.bodies()).toEqual(['new']);
      },
    );

    it.each([
      ['key', { idempotencyKey: 'k' }],
      ['id', { messageId: 'k' }],
    ])('a new message under the same %s waits while the broker cannot be asked', async (_, name) => {
      await send('old', name);
      await shop.drain();
      await cancel(name);
      await send('new', name);
      await send('new in order', { ...name, orderingKey: 'lane' });
      const ask = world.broker.cancel.bind(world.broker);
      world.broker.cancel = () => Promise.reject(new BrokerRefusedError('loading', 'MQ_UNAVAILABLE'));
      await expect(shop.drain()).rejects.toThrow('loading');
      // An idempotency key of an ordering key is another name; a message id is the same everywhere.
      const free = 'messageId' in name ? [] : ['new in order'];
      expect(world.broker.bodies()).toEqual(['old', ...free]);
      world.broker.cancel = ask;
      await shop.drain();
      expect(new Set(world.broker.bodies())).toEqual(new Set(['messageId' in name ? 'new in order' : 'new', ...free]));
    });

    describe('in a transaction that sees what was there when it began (REPEATABLE READ)', () => {
      const { server } = adapter;
      const DELAYED = { delay: '15m', idempotencyKey: 'order 7' };

      /** `afterwards` happens behind the transaction's back; then `fn` runs in it. */
      const beganBefore = <T>(afterwards: () => Promise<unknown>, fn: (tx: unknown) => Promise<T>) =>
        shop.open.ownTransaction(async (tx) => {
          if (server.repeatableRead !== undefined) await shop.run(tx, server.repeatableRead);
          const count = async (): Promise<number> => {
            const stored = await shop.open.database.executor(tx).query(`select id from ${world.prefix}outbox`);
            return stored.length;
          };
          const before = await count();
          await afterwards();
          expect(await count()).toBe(before);
          return fn(tx);
        });

      it.each<[string, object, (messageId: string) => Parameters<typeof cancel>[0]]>([
        ['key', DELAYED, () => ({ idempotencyKey: 'order 7' })],
        [
          'key of an ordering key',
          { ...DELAYED, orderingKey: 'a' },
          () => ({ idempotencyKey: 'order 7', orderingKey: 'a' }),
        ],
        ['id', {}, (messageId) => ({ messageId })],
        ['id, in order', { orderingKey: 'a' }, (messageId) => ({ messageId })],
      ])('a message that was committed meanwhile never leaves (by %s)', async (_, options, ref) => {
        let sent!: { messageId: string };
        const answer = await beganBefore(
          async () => (sent = await send('time-out', options)),
          (tx) => shop.outbox.cancel('timeouts', ref(sent.messageId), { tx }),
        );
        expect(answer).toBe('requested');
        await shop.drain();
        expect(world.broker.asked).toEqual([]);
        expect(await shop.sql(`select id from ${world.prefix}outbox`)).toEqual([]);
      });

      it('only messages of its name, its topic and its ordering key are meant', async () => {
        await beganBefore(
          async () => {
            await send(1, { idempotencyKey: 'order 7', orderingKey: 'a' });
            await send(2, { idempotencyKey: 'order 7 ' });
            await send(3, { idempotencyKey: 'ORDER 7' });
            await send(4, { idempotencyKey: 'order 7' });
            await shop.outbox.withTransaction(() => shop.outbox.send('orders', 5, { idempotencyKey: 'order 7' }));
          },
          (tx) => shop.outbox.cancel('timeouts', { idempotencyKey: 'order 7' }, { tx }),
        );
        await shop.drain();
        expect(new Set(world.broker.bodies())).toEqual(new Set([1, 2, 3, 5]));
      });

      it('one that is sent afterwards under the same name leaves, in the same transaction and later', async () => {
        await beganBefore(
          () => send('old', DELAYED),
          async (tx) => {
            await shop.outbox.cancel('timeouts', { idempotencyKey: 'order 7' }, { tx });
            await shop.outbox.send('timeouts', 'new', { idempotencyKey: 'order 7', tx });
          },
        );
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['new']);
        await cancel({ idempotencyKey: 'order 7' });
        await send('newer', { idempotencyKey: 'order 7' });
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['newer']);
      });

      it('a cancellation that is rolled back cancels nothing', async () => {
        const failing = beganBefore(
          () => send('stays', DELAYED),
          async (tx) => {
            await shop.outbox.cancel('timeouts', { idempotencyKey: 'order 7' }, { tx });
            throw new Error('card declined');
          },
        );
        await expect(failing).rejects.toThrow('card declined');
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['stays']);
      });

      it('one that a relay is just sending is cancelled at the broker, behind the send', async () => {
        let sent!: { messageId: string };
        let relaying: Promise<void> | undefined;
        const hold = world.broker.hold();
        await beganBefore(
          async () => {
            sent = await send('leaving', { delay: '15m' });
            relaying = shop.relay.runOnce();
            await hold.reached;
          },
          (tx) => shop.outbox.cancel('timeouts', sent, { tx }),
        );
        const other = await world.process();
        const cancelling = other.drain();
        await waitsForLock();
        expect(world.broker.calls).toEqual([]);
        hold.release();
        await Promise.all([relaying, cancelling]);
        await shop.drain();
        expect(world.broker.calls).toEqual([`send ${sent.messageId}`, `cancel ${sent.messageId}`]);
        expect(world.broker.stored).toEqual([]);
      });

      it('one that it sees and that has left is cancelled at the broker, or the server ends the transaction', async () => {
        const sent = await send('left', { delay: '15m' });
        const cancelling = beganBefore(
          () => shop.drain(),
          (tx) => shop.outbox.cancel('timeouts', sent, { tx }),
        );
        if (server.dialect === 'mysql') expect(await cancelling).toBe('requested');
        else await expect(cancelling).rejects.toThrow('could not serialize access');
        await shop.drain();
        expect(world.broker.stored).toHaveLength(server.dialect === 'mysql' ? 0 : 1);
      });
    });

    it('what the broker refuses to cancel is given up after maxAttempts', async () => {
      const asked: string[] = [];
      world.broker.cancel = (topic) => {
        asked.push(topic);
        return Promise.reject(new TopicError(topic, 'no such topic', 'MQ_TOPIC_NOT_FOUND'));
      };
      await cancel({ messageId: 'x' });
      for (let pass = 0; pass < 12; pass++) await shop.relay.runOnce();
      expect(asked).toHaveLength(10);
      expect(await shop.admin.status()).toMatchObject({ cancelling: 0 });
    });

    it('a parked message can be cancelled, and its key goes on', async () => {
      const sent = await send('bad', { orderingKey: 'a' });
      await send('follower', { orderingKey: 'a' });
      world.broker.refuse = ({ body }) => (body === 'bad' ? new BrokerRefusedError('no', 'MQ_REFUSED') : undefined);
      await shop.drain();
      expect(world.broker.bodies()).toEqual([]);
      expect(await cancel(sent)).toBe('cancelled');
      await shop.drain();
      expect(world.broker.bodies()).toEqual(['follower']);
    });
  });
}
