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
      await setVersion(0);
      await expect(shop.checkTables()).rejects.toMatchObject({ code: 'MQ_MIGRATION_MISSING' });
      await setVersion(2);
      await expect(shop.checkTables()).rejects.toMatchObject({ code: 'MQ_SCHEMA_VERSION' });
      await shop.sql(`delete from ${world.prefix}schema`);
      await expect(world.process({ migrate: false })).rejects.toMatchObject({ code: 'MQ_MIGRATION_MISSING' });
    });

    it('migrating many times at once makes them once', async () => {
      await Promise.all(Array.from({ length: 5 }, () => world.process({ migrate: true })));
      const shop = await world.process({ migrate: false });
      expect(await shop.sql(`select component, version from ${world.prefix}schema`)).toEqual([
        { component: 'transactional', version: 1 },
      ]);
    });
  });
}
