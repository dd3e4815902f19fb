// A place of one's own in a database that others use too.
import pg from 'pg';

export interface OwnSchema {
  /** Connections made with this see the schema as their search path. */
  url: string;
  /** Removes the schema with everything in it. */
  drop(): Promise<void>;
}

/** @param name lower-case letters, digits and underscores: it becomes part of SQL text */
export async function createOwnSchema(databaseUrl: string, name: string): Promise<OwnSchema> {
  const url = new URL(databaseUrl);
  url.searchParams.set('options', `-c search_path=${name}`);
  url.search = url.search.replaceAll('+', '%20'); // not every client takes a plus for a space
  await run(databaseUrl, `create schema ${name}`);
  return { url: url.href, drop: () => run(databaseUrl, `drop schema ${name} cascade`) };
}

async function run(databaseUrl: string, statement: string): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
