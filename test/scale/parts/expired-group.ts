// A group with a million waiting retries that nobody consumes for any more is destroyed, with all it has.
import { topicSpec } from '@millrace/core';
import type { Claim } from '../claim.js';
import { NAMESPACE, until, type Ground } from '../ground.js';
import { stallDuring } from './stall.js';

const [TOPIC, GROUP] = ['grouped', 'gone'] as const;
const PER_CALL = 5_000;
/** For the server to give the memory back, in the background. */
const AFTERWARDS_MS = 3_000;
const PATIENCE_MS = 30_000;

/** As settle.lua leaves retries, without a million deliveries before. */
const WAITING = `
for n = ARGV[1], ARGV[2] do
  local id = string.format('01a1ff9d-d2a3-7%07d-83da-9f4685d9e6e9', n)
  redis.call('ZADD', KEYS[1], 4102444800000 + n, id)
  redis.call('HSET', KEYS[2], id, string.rep('x', 300))
end`;

export async function expiredGroup(ground: Ground): Promise<Claim[]> {
  const { many } = ground;
  const { broker, control } = ground.connect();
  await broker.declareTopic(topicSpec({ topic: TOPIC }));
  const who = { topic: TOPIC, group: GROUP, mode: 'concurrent', consumer: 'one', leaseMs: 1_000, tags: ['*'] } as const;
  await broker.subscribe({ ...who, startFrom: 'first' });
  const prefix = `{${NAMESPACE}:${TOPIC}:0}:g:${GROUP}:`;
  for (let n = 0; n < many; n += PER_CALL)
    await ground.redis.eval(WAITING, 2, `${prefix}rz`, `${prefix}rh`, n, Math.min(n + PER_CALL, many) - 1);
  const waiting = await ground.redis.zcard(`${prefix}rz`);
  if (waiting !== many) throw new Error(`${waiting} retries wait, expected ${many}`);
  const claim = await stallDuring(
    ground,
    `the removal of a group with ${many.toLocaleString('en-US')} waiting retries`,
    async () => {
      await until('the group is destroyed', PATIENCE_MS, async () => {
        const { expired } = await control.checkIdle(TOPIC, { idleAfterMs: 1, expireAfterMs: 1 });
        return expired.includes(GROUP);
      });
      await passed(AFTERWARDS_MS);
    },
  );
  const left = await ground.redis.exists(`${prefix}rz`, `${prefix}rh`);
  return [claim, { what: 'keys that the group left behind', measured: left, limit: 0, unit: '' }];
}

const passed = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
