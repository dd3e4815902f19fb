import { SCHEMA_VERSION } from '../../src/schema/schema-version.js';
import type { Adapter } from '../adapters/adapter.js';
import { World } from '../world.js';

export function tableCases(adapter: Adapter): void {
  describe('the tables', () => {
    let world: World;

    beforeEach(() => (world = new World(adapter, true)));
    afterEach(() => world.close());

    it('a missing table ends the start with the name of the migration', async () => {
      const start = world.process({ migrate: false });
      await expect(start).rejects.toMatchObject({
        code: 'MQ_MIGRATION_MISSING',
        message: expect.stringMatching(/_outbox.* does not exist.*0001 transactional/),
      });
    });

    it('tables of an older version end it too, newer ones with another code', async () => {
      const shop = await world.process();
      const setVersion = (version: number) => shop.sql(`update ${world.prefix}schema set version = $1`, [version]);
      await setVersion(SCHEMA_VERSION - 1);
      await expect(shop.checkTables()).rejects.toMatchObject({
        code: 'MQ_MIGRATION_MISSING',
        message: expect.stringMatching(/have version 1, this code needs 2.*outboxMigrationDown.*0001 transactional/),
      });
      await setVersion(SCHEMA_VERSION + 1);
      await expect(shop.checkTables()).rejects.toMatchObject({ code: 'MQ_SCHEMA_VERSION' });
      await shop.sql(`delete from ${world.prefix}schema`);
      await expect(world.process({ migrate: false })).rejects.toMatchObject({ code: 'MQ_MIGRATION_MISSING' });
    });

    it('migrating many times at once makes them once', async () => {
      await Promise.all(Array.from({ length: 5 }, () => world.process({ migrate: true })));
      const shop = await world.process({ migrate: false });
      expect(await shop.sql(`select component, version from ${world.prefix}schema`)).toEqual([
        { component: 'transactional', version: SCHEMA_VERSION },
      ]);
    });

    it("are what Debezium's outbox event router expects by default: routed by topic, keyed by ordering key, bodies as given", async () => {
      const shop = await world.process();
      const long = { text: 'long '.repeat(2000) };
      const bytes = Buffer.from([0, 1, 255]);
      const sent = await shop.outbox.withTransaction(() =>
        shop.outbox.sendAll([
          { destination: 'orders:created', body: long, options: { orderingKey: 'lane ä', keys: ['k 1'] } },
          { destination: 'orders', body: null, options: { keys: ['k 1', 'k 2'] } },
          { destination: 'mails', body: bytes, options: { keys: ['a\0b'], idempotencyKey: 'once' } },
        ]),
      );
      const router = `select id, aggregatetype, aggregateid, type from ${world.prefix}outbox order by seq`;
      const ids = sent.map(({ messageId }) => messageId);
      expect(await shop.sql(router)).toEqual([
        { id: ids[0], aggregatetype: 'orders', aggregateid: 'lane ä', type: 'created' },
        { id: ids[1], aggregatetype: 'orders', aggregateid: 'k 1', type: null },
        { id: ids[2], aggregatetype: 'mails', aggregateid: ids[2], type: null },
      ]);
      const stored = `select payload from ${world.prefix}outbox order by seq`;
      const payloads = await shop.open.database.query<{ payload: Buffer }>(stored);
      const [json, none, raw] = payloads.map(({ payload }) => payload);
      expect(JSON.parse(json!.toString())).toEqual(long);
      expect(none!.toString()).toBe('null');
      expect(raw).toEqual(bytes);
      // Its text columns must be texts to the router: it fails on others.
      const types = await shop.sql<{ name: string; type: string }>(
        `select column_name as name, data_type as type from information_schema.columns
         where table_name = $1 and column_name in ('id', 'aggregatetype', 'aggregateid', 'type') order by 1`,
        [`${world.prefix}outbox`],
      );
      const text = adapter.server.dialect === 'postgresql' ? 'text' : 'varchar';
      expect(types).toEqual(['aggregateid', 'aggregatetype', 'id', 'type'].map((name) => ({ name, type: text })));
    });
  });
}
