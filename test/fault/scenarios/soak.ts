import {
  freezeMember,
  freezeRedis,
  killAtPoint,
  killMember,
  killRedis,
  loseReply,
  replaceMember,
  reset,
} from '../faults.js';
import type { Scenario } from '../scenario.js';
import { storedBytes } from '../stage/stored-bytes.js';
import type { MemberProcess } from '../stage/member-process.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, ordered } from '../traffic.js';

/** Of two producers together: a million messages in 15 minutes need 1,112. */
const PER_SECOND = 1_400;
/** What may stay once everything is drained: group records, the last node of each stream, replies kept for a while. */
const MAY_STAY_BYTES = 512 * 1024;
/** A loop that has not succeeded for so long is silent. */
const SILENT_MS = 25_000;
/** Who looks for groups without a member does so once a minute. */
const SILENT_IDLE_WATCH_MS = 75_000;

export const soak: Scenario = {
  id: 'T23',
  title: 'soak: mixed faults, memory back to base, no listener silent',
  run: async (stage) => {
    // Each restart counts growth anew: with the usual 100 % the file would never be rewritten, and take long to load.
    await stage.startRedis('--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '20');
    stage.topics = [{ topic: 'orders', queues: 8, retention: 0, retentionCount: 0, idempotencyWindow: '1s' }];
    const [billing, shipping] = [
      concurrent(0, { concurrency: 50, workMs: [0, 4], failShare: 0.01 }),
      ordered(1, { concurrency: 50, workMs: [0, 4], failShare: 0.002 }),
    ];
    stage.rules = { groups: stage.groups([billing, shipping]) };
    const [consuming, sending] = [await stage.proxy(), await stage.proxy()];
    const concurrentCrew: MemberProcess[] = [];
    const orderedCrew: MemberProcess[] = [];
    for (const name of ['billing 1', 'billing 2'])
      concurrentCrew.push(await stage.consumer(name, [billing], consuming));
    for (const name of ['shipping 1', 'shipping 2'])
      orderedCrew.push(await stage.consumer(name, [shipping], consuming));
    const baseBytes = await storedBytes(stage.direct);
    const producers: MemberProcess[] = [];
    for (const name of ['producer 1', 'producer 2']) {
      const traffic = { perSecond: PER_SECOND / 2, keys: 400, delayShare: 0.05, maxDelayMs: 5_000, cancelShare: 0.2 };
      producers.push(await stage.producer(name, traffic, sending));
    }
    const kinds = [
      killMember(stage, concurrentCrew),
      killMember(stage, orderedCrew),
      replaceMember(stage, concurrentCrew),
      replaceMember(stage, orderedCrew),
      killAtPoint(stage, concurrentCrew),
      // Only where two handlers of a key may overlap; a frozen owner of ordered queues is T5.
      freezeMember(stage, concurrentCrew, [500, 4_000]),
      freezeRedis(stage, [50, 1_000]),
      killRedis(stage, [50, 500]),
      loseReply(stage, [consuming], 'receive', 'xreadgroup', 1_000),
      loseReply(stage, [consuming, sending], 'a script', 'evalsha', 1_000),
      reset([consuming, sending]),
      killMember(stage, producers),
    ];
    await stage.nemesis({ forMs: stage.forMs, everyMs: [2_000, 6_000], kinds, least: 3 });
    await stage.stopProducers();
    await stage.until('the backlog drains', 60_000, async () => (await stage.backlog()) === 0);
    await expectNobodySilent(stage);
    await expectMemoryBack(stage, baseBytes);
    await stage.finish();
  },
};

/** I13. */
async function expectNobodySilent(stage: Stage): Promise<void> {
  let rss = 0;
  for (const member of stage.members) {
    const health = await member.health();
    if (!health) {
      stage.problems.push(`${member.name} does not answer`);
      continue;
    }
    rss = Math.max(rss, health.rssBytes);
    for (const [loop, silentMs] of Object.entries(health.silentMs)) {
      const allowedMs = loop.startsWith('idle groups') ? SILENT_IDLE_WATCH_MS : SILENT_MS;
      if (silentMs === null || silentMs > allowedMs)
        stage.problems.push(`${member.name}: '${loop}' silent for ${silentMs} ms`);
    }
  }
  stage.figures['largest consumer MiB'] = Math.round(rss / 2 ** 20);
}

/** I12. Trimming runs now and then, and kept replies live for a minute: it may take a while. */
async function expectMemoryBack(stage: Stage, baseBytes: number): Promise<void> {
  let bytes = 0;
  await stage.until('memory is back to its base', 120_000, async () => {
    bytes = await storedBytes(stage.direct);
    return bytes - baseBytes <= MAY_STAY_BYTES;
  });
  stage.figures['KiB stored before'] = Math.round(baseBytes / 1024);
  stage.figures['KiB stored after'] = Math.round(bytes / 1024);
}
