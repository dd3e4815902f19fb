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

export const SOAK: Scenario | undefined = undefined;

export const SCENARIOS: readonly Scenario[] = [
  killServer,
  killServerEverysec,
  killConsumer,
  freezeConsumer,
  freezeServer,
  lostReplies,
  outOfMemory,
  sharedKey,
  churn,
  lostState,
];

/** At most two minutes with `--ci`. */
export const CI_SELECTION: readonly Scenario[] = [killServer, killConsumer, freezeConsumer, lostReplies, churn];
