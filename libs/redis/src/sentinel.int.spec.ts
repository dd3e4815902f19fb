// Through Sentinel: a primary is found, followed when it is replaced, and missed when it dies.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startSentinel, type SentinelSet } from '@millrace/testing/servers';
import { Traffic } from '../test/traffic.js';
import { Redis } from 'ioredis';

describe('through Sentinel', () => {
  let set: SentinelSet;
  let traffic: Traffic;

  beforeAll(async () => void (set = await startSentinel({ replicas: 2 })), 30_000);
  afterAll(() => set.stop());
  beforeEach(async () => {
    traffic = new Traffic({ sentinels: [...set.sentinels], name: set.name }, 2);
    await traffic.start();
  });
  afterEach(() => traffic.close());

  it('a failover in good order: blocked readers come back, sends go on', async () => {
    const asked = performance.now();
    await set.failover();
    await traffic.flows();
    // Between the choice and the demotion of the old primary, what it still accepted is thrown away.
    const flowing = performance.now();
    await traffic.finish(({ at }) => at > asked && at < flowing);
    expect(traffic.refused).toEqual([]);
  }, 40_000);

  it('a primary dies: blocked readers come back, what was replicated is delivered, sends go on', async () => {
    const primary = await set.master();
    const safeUntil = performance.now();
    const client = new Redis(primary.port, '127.0.0.1');
    await client.set('probe', '1');
    expect(await client.wait(1, 5_000)).toBeGreaterThanOrEqual(1);
    await client.quit();
    await primary.kill();
    const killedAt = performance.now();
    await set.takenOver(primary);
    await traffic.flows();
    const lost = await traffic.finish(({ at }) => at > safeUntil && at <= killedAt);
    expect(lost.length).toBeLessThan(20);
    expect(traffic.refused).toEqual([]);
  }, 40_000);
});
