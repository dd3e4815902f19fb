// The contract suite on Valkey 8. Where it cannot be had, every case is reported as skipped.
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ALL_CONTRACT_FEATURES, describeBrokerContract, realTime } from '@millrace/testing/contract';
import { ServerUnavailableError, startValkey } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';

const server = await startValkey().catch((error: unknown) => {
  if (!(error instanceof ServerUnavailableError)) throw error;
  process.stdout.write(`\nNOT RUN on Valkey: ${error.message}\n`);
  return undefined;
});

(server ? describe : describe.skip)('on Valkey 8', () => {
  afterAll(() => server?.stop());

  it('which it really is', async () => {
    const redis = new Redis(server!.url);
    expect(await redis.info('server')).toMatch(/valkey_version:8\./);
    await redis.quit();
  });

  describeBrokerContract(
    'Valkey',
    async () => {
      const namespace = `contract-${randomBytes(6).toString('hex')}`;
      return {
        ports: () => connectRedis({ connection: server!.url, namespace }),
        ...realTime,
        // The server goes with all its data.
        close: () => Promise.resolve(),
      };
    },
    ALL_CONTRACT_FEATURES,
  );
});
