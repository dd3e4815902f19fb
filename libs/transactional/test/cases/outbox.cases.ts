import { newMessageId } from '@millrace/core';
import type { Adapter } from '../adapters/adapter.js';
import { World, type TestProcess } from '../world.js';

export function outboxCases(adapter: Adapter): void {
  describe('the outbox', () => {
    let world: World;
    let shop: TestProcess;

    beforeEach(async () => {
      world = new World(adapter);
      shop = await world.process();
    });
    afterEach(() => world.close());

    const rows = (): Promise<Record<string, unknown>[]> => shop.sql(`select * from ${world.prefix}outbox order by seq`);

    const { server } = adapter;
    const age = (seconds: number): Promise<unknown> =>
      shop.sql(`update ${world.prefix}outbox set created_at = ${server.earlier('created_at', seconds)}`);
    const delays = (): unknown[] => world.broker.stored.map(({ options }) => options?.delay);

    describe('what leaves', () => {
      it('a committed message leaves with everything it was given', async () => {
        const given = {
          keys: ['o-1', 'b-2'],
          headers: { trace: 'x' },
          idempotencyKey: 'key',
          orderingKey: 'lane',
          maxAttempts: 3,
          deliverAt: new Date(Date.now() + 3_600_000),
        };
        const body = { id: 1, text: 'ä' };
        const sent = await shop.outbox.withTransaction(() => shop.outbox.send('orders:created', body, given));
        await shop.drain();
        expect(sent).toEqual({ messageId: expect.stringMatching(/^[0-9a-f-]{36}$/), topic: 'orders' });
        const options = { ...given, messageId: sent.messageId, tag: 'created' };
        expect(world.broker.stored).toEqual([{ destination: 'orders', body, options }]);
        expect(await rows()).toEqual([]);
      });

      it('null, raw bytes and long text arrive as they were', async () => {
        const bodies = [null, Buffer.from([0, 1, 255]), 'long '.repeat(10_000)];
        await shop.outbox.withTransaction(async () => {
          for (const body of bodies) await shop.outbox.send('orders', body);
        });
        await shop.drain();
        expect(world.broker.bodies()).toEqual(bodies);
      });

      it('a message of a transaction that is rolled back never leaves', async () => {
        const failing = shop.outbox.withTransaction(async () => {
          await shop.outbox.send('orders', 'never');
          throw new Error('out of stock');
        });
        await expect(failing).rejects.toThrow('out of stock');
        await shop.outbox.withTransaction(() => shop.outbox.send('orders', 'sent'));
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['sent']);
      });

      it('a message does not leave before its transaction commits', async () => {
        await shop.outbox.withTransaction(async () => {
          await shop.outbox.send('orders', 'not yet');
          await shop.drain();
          expect(world.broker.asked).toEqual([]);
        });
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['not yet']);
      });

      it('a message id of the caller is kept, and sending it twice stores it once', async () => {
        const send = () => shop.outbox.withTransaction(() => shop.outbox.send('orders', 1, { messageId: 'order/1' }));
        expect(await send()).toEqual({ messageId: 'order/1', topic: 'orders' });
        await send();
        await shop.drain();
        expect(world.broker.stored.map(({ options }) => options?.messageId)).toEqual(['order/1']);
        expect(await rows()).toEqual([]);
      });
    });

    describe('which transaction', () => {
      it('outside of a transaction nothing is stored', async () => {
        await expect(shop.outbox.send('orders', 1)).rejects.toMatchObject({ code: 'MQ_NO_TRANSACTION' });
        await expect(shop.outbox.cancel('orders', { messageId: 'x' })).rejects.toMatchObject({
          code: 'MQ_NO_TRANSACTION',
        });
        expect(await rows()).toEqual([]);
      });

      it('after the end of its transaction nothing is stored', async () => {
        let end!: () => void;
        const ended = new Promise<void>((resolve) => (end = resolve));
        const late = await shop.outbox.withTransaction(async () => {
          // A promise that the transaction does not wait for: it still believes to be inside.
          return { error: ended.then(() => shop.outbox.send('orders', 'late')).catch((error: unknown) => error) };
        });
        end();
        expect(await late.error).toMatchObject({ code: 'MQ_NO_TRANSACTION' });
        expect(await rows()).toEqual([]);
      });

      it('{ tx } that is not an open transaction is refused', async () => {
        for (const tx of shop.open.noTransactions)
          await expect(shop.outbox.send('orders', 1, { tx })).rejects.toMatchObject({ code: 'MQ_NO_TRANSACTION' });
        expect(await rows()).toEqual([]);
      });

      it("{ tx } joins the caller's own transaction", async () => {
        await shop.open.ownTransaction((tx) => shop.outbox.send('orders', 'committed', { tx }));
        const failing = shop.open.ownTransaction(async (tx) => {
          await shop.outbox.send('orders', 'rolled back', { tx });
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['committed']);
      });

      it('{ tx } wins over the ambient transaction', async () => {
        await shop.open.ownTransaction(async (tx) => {
          const failing = shop.outbox.withTransaction(async () => {
            await shop.outbox.send('orders', 'explicit', { tx });
            await shop.outbox.send('orders', 'ambient');
            throw new Error('no');
          });
          await expect(failing).rejects.toThrow('no');
        });
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['explicit']);
      });

      it('an inner withTransaction joins the outer one, which alone commits', async () => {
        const failing = shop.outbox.withTransaction(async (outer) => {
          await shop.outbox.withTransaction(async (inner) => {
            expect(inner).toBe(outer);
            await shop.outbox.send('orders', 'inner');
          });
          throw new Error('outer fails');
        });
        await expect(failing).rejects.toThrow('outer fails');
        await shop.drain();
        expect(world.broker.asked).toEqual([]);
      });

      it('a swallowed error that ended the transaction does not pass as a commit', async () => {
        const lying = shop.outbox.withTransaction(async (tx) => {
          await shop.outbox.send('orders', 'lost');
          await server.breakTransaction((text) => shop.run(tx, text));
        });
        await expect(lying).rejects.toMatchObject({ code: 'MQ_ROLLED_BACK' });
        await shop.drain();
        expect(world.broker.asked).toEqual([]);
      });

      it('a transaction of ours reads what others commit meanwhile', async () => {
        const count = async (tx: unknown): Promise<number> => {
          const { database } = shop.open;
          const stored = await database.executor(tx).query(`select id from ${world.prefix}outbox`);
          return stored.length;
        };
        await shop.outbox.withTransaction(async (tx) => {
          expect(await count(tx)).toBe(0);
          await shop.open.ownTransaction((other) => shop.outbox.send('orders', 1, { tx: other }));
          expect(await count(tx)).toBe(1);
        });
      });

      it('a connection whose transaction failed serves the next one', async () => {
        for (let round = 0; round < 15; round++) {
          const failing = shop.outbox.withTransaction((tx) => shop.run(tx, server.failing));
          await expect(failing).rejects.toThrow();
        }
        await shop.outbox.withTransaction(() => shop.outbox.send('orders', 'fine'));
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['fine']);
      });
    });

    describe('bad input', () => {
      it.each<[string, string, unknown, object]>([
        ['a bad topic', 'no spaces', 1, {}],
        ['a body over 4 MiB', 'orders', Buffer.alloc(4 * 1024 * 1024 + 1), {}],
        ['an undefined body', 'orders', undefined, {}],
        ['an unknown option', 'orders', 1, { dely: '1s' }],
        ['two delays', 'orders', 1, { delay: '1s', deliverAt: new Date() }],
        ['a delay of more than a year', 'orders', 1, { delay: '366d' }],
        ['NUL in an ordering key', 'orders', 1, { orderingKey: 'a\0b' }],
        ['NUL in an idempotency key', 'orders', 1, { idempotencyKey: 'a\0b' }],
      ])('%s is refused before the insert, and the transaction stays usable', async (_, destination, body, options) => {
        await shop.outbox.withTransaction(async () => {
          await expect(shop.outbox.send(destination, body, options)).rejects.toMatchObject({
            code: 'MQ_INVALID_OPTION',
          });
          await shop.outbox.send('orders', 'after');
        });
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['after']);
      });

      it.each([
        ['a bad topic', 'no spaces', { messageId: 'x' }],
        ['neither id nor key', 'orders', {}],
        ['both id and key', 'orders', { messageId: 'x', idempotencyKey: 'y' }],
        ['an empty id', 'orders', { messageId: '' }],
      ])('a cancellation that names %s is refused', async (_, topic, ref) => {
        await shop.outbox.withTransaction(async () => {
          await expect(shop.outbox.cancel(topic, ref as { messageId: string })).rejects.toMatchObject({
            code: 'MQ_INVALID_OPTION',
          });
        });
      });
    });

    describe('delays', () => {
      it("a delay counts from the row's time on the database's clock", async () => {
        await shop.outbox.withTransaction(() => shop.outbox.send('orders', 1, { delay: '30m' }));
        await age(600);
        await shop.drain();
        expect(delays()).toEqual([expect.any(Number)]);
        const left = delays()[0] as number;
        expect(left).toBeLessThanOrEqual(20 * 60_000);
        expect(left).toBeGreaterThan(19 * 60_000);
      });

      it('a delay that is over while the row waited is none, and never negative', async () => {
        await shop.outbox.withTransaction(() => shop.outbox.send('orders', 1, { delayLevel: 3 }));
        await age(11);
        await shop.drain();
        expect(delays()).toEqual([0]);
      });

      it('an instant stays the same instant, to the millisecond', async () => {
        const deliverAt = new Date(Date.now() + 86_399_999);
        await shop.outbox.withTransaction(() => shop.outbox.send('orders', 1, { deliverAt }));
        await age(600);
        await shop.drain();
        expect(world.broker.stored[0]?.options?.deliverAt).toEqual(deliverAt);
      });
    });

    it('ids are never taken from the table, so a restored database repeats none', async () => {
      const first = await shop.outbox.withTransaction(() => shop.outbox.send('orders', 1));
      await shop.sql(`truncate table ${world.prefix}outbox${server.dialect === 'mysql' ? '' : ' restart identity'}`);
      const second = await shop.outbox.withTransaction(() => shop.outbox.send('orders', 1));
      expect(second.messageId).not.toBe(first.messageId);
      expect(first.messageId.length).toBe(newMessageId().length);
    });
  });
}
