// Closing while the server is gone: nobody who waits for an answer may wait for ever, or an application could not end.
import { expect, it } from '@jest/globals';
import { startRedis } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { endClient } from './end-client.js';

it('a client that is closed between two tries to connect ends the calls that wait for it', async () => {
  const server = await startRedis();
  const client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 60_000 });
  client.on('error', () => undefined);
  await client.ping();
  const reconnecting = new Promise((resolve) => client.once('reconnecting', resolve));
  await server.kill();
  const inFlight = client.ping();
  await reconnecting;
  const queued = client.ping();
  await endClient(client, 'quit');
  const answers = await Promise.allSettled([inFlight, queued]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await server.stop();
});
