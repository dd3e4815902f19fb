import { deadLetter, handBack, HandBack, InvalidMessageError, retryLater, type MqContext } from '@millrace/core';
import type { Adapter } from '../adapters/adapter.js';
import { deliveryOf, type FakeMessage } from '../fake-delivery.js';
import { World, type TestProcess } from '../world.js';
import { getTransaction } from '../../src/inbox/inbox-transaction.js';

export function inboxCases(adapter: Adapter): void {
  describe('the inbox', () => {
    let world: World;
    let shop: TestProcess;
    let effects: string;

    beforeEach(async () => {
      world = new World(adapter);
      shop = await world.process();
      effects = `${world.prefix}effects`;
      await shop.sql(`create table ${effects} (what text)`);
    });
    afterEach(async () => {
      await shop.sql(`drop table ${effects}`);
      await world.close();
    });

    /** A delivery whose handler writes one effect in its transaction, then does `then`. */
    const deliver = (given: FakeMessage, then: (context: MqContext) => Promise<unknown> = async () => undefined) => {
      const context = deliveryOf(given);
      return shop.inbox.handle(context, async () => {
        await shop.run(getTransaction(context), `insert into ${effects} values ($1)`, [context.messageId]);
        return then(context);
      });
    };
    /** Delivers as a consumer does: what is handed back comes again. */
    const deliverUntilSettled = async (messageId: string): Promise<void> => {
      while ((await deliver({ messageId })) instanceof HandBack);
    };
    const done = async () => (await shop.sql<{ what: string }>(`select what from ${effects}`)).map(({ what }) => what);
    const records = () => shop.sql(`select consumer_group, topic, message_key, message_id from ${world.prefix}inbox`);

    it('the effect and the record that it was handled commit together', async () => {
      expect(await deliver({ messageId: 'm1' }, async () => 'result')).toBe('result');
      expect(await done()).toEqual(['m1']);
      expect(await records()).toEqual([
        { consumer_group: 'billing', topic: 'orders', message_key: 'm:m1', message_id: 'm1' },
      ]);
    });

    it('a second delivery is acked without running the handler', async () => {
      await deliver({ messageId: 'm1' });
      expect(await deliver({ messageId: 'm1' }, () => Promise.reject(new Error('ran')))).toBeUndefined();
      expect(await done()).toEqual(['m1']);
    });

    it('a redriven message whose effect had committed does not run again, one whose effect had not does', async () => {
      await expect(deliver({ messageId: 'm1' }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
      await deliver({ messageId: 'm1', generation: 1 });
      await deliver({ messageId: 'm1', generation: 2 });
      expect(await done()).toEqual(['m1']);
    });

    it('two messages with one idempotency key are handled once', async () => {
      await deliver({ messageId: 'm1', idempotencyKey: 'pay 7' });
      await deliver({ messageId: 'm2', idempotencyKey: 'pay 7' });
      expect(await done()).toEqual(['m1']);
    });

    it.each([
      ['of another group', { group: 'shipping' }],
      ['of another topic', { topic: 'refunds' }],
      ['of another ordering key', { orderingKey: 'o' }],
    ])('the same idempotency key %s is another message', async (_, other) => {
      await deliver({ messageId: 'm1', idempotencyKey: 'k' });
      await deliver({ messageId: 'm2', idempotencyKey: 'k', ...other });
      expect(await done()).toEqual(['m1', 'm2']);
    });

    it('a handler that fails leaves neither effect nor record', async () => {
      await expect(deliver({ messageId: 'm1' }, () => Promise.reject(new Error('no stock')))).rejects.toThrow(
        'no stock',
      );
      expect(await done()).toEqual([]);
      expect(await records()).toEqual([]);
      await deliver({ messageId: 'm1' });
      expect(await done()).toEqual(['m1']);
    });

    it.each([
      ['retryLater', retryLater('30s')],
      ['deadLetter', deadLetter('malformed')],
      ['handBack', handBack('1s')],
    ])('a handler that returns %s is not done: nothing is kept, and the outcome is passed on', async (_, outcome) => {
      expect(await deliver({ messageId: 'm1' }, async () => outcome)).toBe(outcome);
      expect(await done()).toEqual([]);
      expect(await records()).toEqual([]);
    });

    it('a message that its pipeline refuses leaves no record, and the error stays what it was', async () => {
      const invalid = new InvalidMessageError(new Error('no such field'));
      await expect(deliver({}, () => Promise.reject(invalid))).rejects.toBe(invalid);
      expect(await records()).toEqual([]);
    });

    it('a swallowed error that ended the transaction is a failure, not an ack', async () => {
      const swallowing = deliver({ messageId: 'm1' }, async (context) => {
        await adapter.server.breakTransaction((text) => shop.run(getTransaction(context), text));
      });
      await expect(swallowing).rejects.toMatchObject({ code: 'MQ_ROLLED_BACK' });
      expect(await records()).toEqual([]);
    });

    it('of parallel deliveries one runs, the others are handed back, and afterwards are duplicates', async () => {
      let inside!: () => void;
      const running = new Promise<void>((resolve) => (inside = resolve));
      let finish!: () => void;
      const finished = new Promise<void>((resolve) => (finish = resolve));
      const first = deliver({ messageId: 'm1' }, () => {
        inside();
        return finished;
      });
      await running;
      const others = await Promise.all([1, 2, 3].map(() => deliver({ messageId: 'm1' })));
      for (const other of others) expect(other).toBeInstanceOf(HandBack);
      finish();
      await first;
      expect(await deliver({ messageId: 'm1' })).toBeUndefined();
      expect(await done()).toEqual(['m1']);
    });

    it('fifty deliveries at once of ten messages run each once', async () => {
      await Promise.all(Array.from({ length: 50 }, (_, n) => deliverUntilSettled(`m${n % 10}`)));
      expect((await done()).toSorted()).toEqual(Array.from({ length: 10 }, (_, n) => `m${n}`));
    });

    it('messages that the handler sends through the outbox leave only if it commits', async () => {
      const send = (body: string) => shop.outbox.send('shipments', body);
      await expect(
        deliver({ messageId: 'm1' }, async () => {
          await send('never');
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      await deliver({ messageId: 'm2' }, async () => {
        await send('sent');
        await shop.outbox.withTransaction(() => send('sent too'));
        await shop.drain();
        expect(world.broker.asked).toEqual([]);
      });
      await shop.drain();
      expect(world.broker.bodies()).toEqual(['sent', 'sent too']);
    });

    it('its commit wakes the relay', async () => {
      const relaying = await world.process({ relay: { pollInterval: '1h', listen: false } });
      relaying.relay.start();
      await relaying.relay.runOnce();
      await relaying.inbox.handle(deliveryOf(), () => relaying.outbox.send('shipments', 1));
      await world.broker.whenStored(1);
      expect(world.broker.bodies()).toEqual([1]);
    });

    it('a listener inside the transaction of a producer gets one of its own', async () => {
      const failing = shop.outbox.withTransaction(async () => {
        await deliver({ messageId: 'm1' });
        throw new Error('the producer fails');
      });
      await expect(failing).rejects.toThrow('the producer fails');
      expect(await done()).toEqual(['m1']);
    });

    it('keys too long or too strange for an index are recorded all the same', async () => {
      const keys = ['k'.repeat(5000), 'a\0b', 'a\0c'];
      for (const idempotencyKey of keys) await deliver({ idempotencyKey });
      for (const idempotencyKey of keys) await deliver({ idempotencyKey });
      expect(await done()).toHaveLength(3);
      expect(await records()).toHaveLength(3);
    });

    it('the transaction is lent for the time of the handler only', async () => {
      const context = deliveryOf();
      expect(() => getTransaction(context)).toThrow(expect.objectContaining({ code: 'MQ_NO_TRANSACTION' }));
      await shop.inbox.handle(context, async () => expect(getTransaction(context)).toBeDefined());
      expect(() => getTransaction(context)).toThrow(expect.objectContaining({ code: 'MQ_NO_TRANSACTION' }));
    });
  });
}
