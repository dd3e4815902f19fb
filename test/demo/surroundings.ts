// The servers of a run: REDIS_URL and DATABASE_URL when set, else throw-away ones. On a server of the user's, the run
// keeps to its own key prefix and its own schema and removes both at the end.
import { randomBytes } from 'node:crypto';
import { startPostgres, startRedis } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createOwnSchema } from '../support/own-schema.js';

export interface Surroundings {
  redisUrl: string;
  databaseUrl: string;
  namespace: string;
  redis: Redis;
  sql: pg.Pool;
  /** One line a server, for who wants to look inside. */
  description: string[];
  /** Idempotent. */
  close(): Promise<void>;
}

export async function prepareSurroundings(env: NodeJS.ProcessEnv): Promise<Surroundings> {
  const namespace = `demo-${randomBytes(4).toString('hex')}`;
  const closers: (() => Promise<unknown>)[] = [];
  // In reverse: who was opened last is closed first. One failure does not keep the others open.
  const close = async (): Promise<void> => {
    const results = await Promise.allSettled(await inTurn(closers.splice(0).toReversed()));
    for (const result of results) if (result.status === 'rejected') console.error(`clean-up: ${String(result.reason)}`);
  };
  try {
    const [ownRedis, ownPostgres] = await Promise.all([
      env.REDIS_URL ? undefined : startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] }),
      env.DATABASE_URL ? undefined : startPostgres({ database: 'shop' }),
    ]);
    if (ownRedis) closers.push(() => ownRedis.stop());
    if (ownPostgres) closers.push(() => ownPostgres.stop());

    const redisUrl = ownRedis?.url ?? env.REDIS_URL!;
    const redis = new Redis(redisUrl, { maxRetriesPerRequest: 3 });
    redis.on('error', () => undefined); // a command that fails says so itself
    closers.push(async () => redis.disconnect());
    if (!ownRedis) closers.push(() => removeKeys(redis, namespace));

    const schema = ownPostgres ? undefined : await createOwnSchema(env.DATABASE_URL!, namespace.replace('-', '_'));
    if (schema) closers.push(() => schema.drop());
    const databaseUrl = ownPostgres?.url ?? schema!.url;
    const sql = new pg.Pool({ connectionString: databaseUrl, max: 4 });
    sql.on('error', () => undefined);
    closers.push(() => sql.end());
    const description = [
      `Redis       ${withoutPassword(redisUrl)} (${ownRedis ? 'own, append-only file, ' : ''}keys {${namespace}:…)`,
      `PostgreSQL  ${withoutPassword(databaseUrl)}${ownPostgres ? ' (own)' : ''}`,
    ];
    return { redisUrl, databaseUrl, namespace, redis, sql, description, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function inTurn(actions: (() => Promise<unknown>)[]): Promise<Promise<unknown>[]> {
  const done: Promise<unknown>[] = [];
  for (const action of actions) {
    const result = action();
    done.push(result);
    await result.catch(() => undefined);
  }
  return done;
}

function withoutPassword(url: string): string {
  const copy = new URL(url);
  if (copy.password !== '') copy.password = '***';
  return copy.href;
}

async function removeKeys(redis: Redis, namespace: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: `{${namespace}:*`, count: 1000 })) {
    if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
  }
}
