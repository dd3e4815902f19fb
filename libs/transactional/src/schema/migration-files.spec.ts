import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outboxMigration } from './migration.js';

describe('the SQL files of the package', () => {
  it.each(['postgresql', 'mysql'] as const)('are what outboxMigration() gives (%s)', (dialect) => {
    const file = join(import.meta.dirname, '..', '..', 'migrations', `0001-transactional.${dialect}.sql`);
    expect(readFileSync(file, 'utf8').trim()).toBe(outboxMigration(undefined, dialect).trim());
  });
});
