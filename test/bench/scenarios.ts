// All scenarios, in the order they run.
import type { Scenario } from './scenario.js';
import { sendOneAtATime } from './scenarios/b1-send-one-at-a-time.js';
import { sendConcurrently } from './scenarios/b2-send-concurrently.js';
import { sendAll } from './scenarios/b3-send-all.js';
import { consume } from './scenarios/b4-consume.js';
import { nestListener } from './scenarios/b5-nest-listener.js';
import { latencies } from './scenarios/b6-latency.js';
import { delayedBytes, fire, schedule } from './scenarios/b7-delayed.js';
import { lateDelivery } from './scenarios/b8-lateness.js';
import { growingBacklog, growingSchedule } from './scenarios/b9-growth.js';
import { manyGroups } from './scenarios/b10-groups.js';
import { always, everySecond } from './scenarios/b11-persistence.js';
import { commitToHandler, relayOrderedRows, relayRows } from './scenarios/b12-outbox.js';
import { payloads } from './scenarios/b14-payload.js';
import { poisonKey } from './scenarios/b15-poison-key.js';
import { idleListeners } from './scenarios/b13-idle.js';

export const SCENARIOS: readonly Scenario[] = [
  sendOneAtATime,
  sendConcurrently,
  sendAll,
  consume,
  nestListener,
  latencies,
  schedule,
  fire,
  delayedBytes,
  lateDelivery,
  growingBacklog,
  growingSchedule,
  manyGroups,
  everySecond,
  always,
  relayRows,
  relayOrderedRows,
  commitToHandler,
  idleListeners,
  ...payloads,
  poisonKey,
];
