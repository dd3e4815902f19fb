// Every scenario, in the order of the design.
import type { Scenario } from './scenario.js';
import { killServer, killServerEverysec } from './scenarios/kill-server.js';
import { killConsumer } from './scenarios/kill-consumer.js';
import { freezeConsumer } from './scenarios/freeze-consumer.js';
import { freezeServer } from './scenarios/freeze-server.js';
import { lostReplies } from './scenarios/lost-replies.js';
import { outOfMemory } from './scenarios/out-of-memory.js';
import { sharedKey } from './scenarios/shared-key.js';
import { churn } from './scenarios/churn.js';
import { lostState } from './scenarios/lost-state.js';
import { clusterFailover, durableFailover, sentinelFailover, slotMigration } from './scenarios/failover.js';
import { halfOpen } from './scenarios/half-open.js';
import { diskFull } from './scenarios/disk-full.js';
import { slowHandler } from './scenarios/slow-handler.js';
import { poison } from './scenarios/poison.js';
import { cancelRaces } from './scenarios/cancel-races.js';
import { manyPending } from './scenarios/many-pending.js';
import { redrive } from './scenarios/redrive.js';
import { outboxKills, outboxKillsMariaDb } from './scenarios/outbox-kills.js';
import { soak } from './scenarios/soak.js';

export const SOAK: Scenario = soak;

export const SCENARIOS: readonly Scenario[] = [
  killServer,
  killServerEverysec,
  killConsumer,
  freezeConsumer,
  freezeServer,
  lostReplies,
  halfOpen,
  sentinelFailover,
  durableFailover,
  clusterFailover,
  slotMigration,
  outboxKills,
  outboxKillsMariaDb,
  outOfMemory,
  diskFull,
  slowHandler,
  poison,
  sharedKey,
  churn,
  cancelRaces,
  redrive,
  lostState,
  manyPending,
  SOAK,
];

/** At most two minutes with `--ci`. */
export const CI_SELECTION: readonly Scenario[] = [
  killServer,
  killConsumer,
  freezeConsumer,
  lostReplies,
  outboxKills,
  churn,
];
