// Entry of `@millrace/testing`: what tests of applications and of Millrace itself need without a server or Jest.
// The broker contract suite is `@millrace/testing/contract`, throw-away servers are `@millrace/testing/servers`.
export { connectInMemory, type InMemoryOptions, type InMemoryPorts } from './in-memory/connect-in-memory.js';
export { InMemoryStore } from './in-memory/in-memory-store.js';
export type { ClockedStore } from './clocked-store.js';
export { ManualClock } from './manual-clock.js';
export { createTestMq, type TestMq, type TestMqOptions } from './mq-testing.js';
export { createTestBroker, type TestBroker, type TestBrokerOptions, type TestDeadLetter } from './test-broker.js';
export {
  connectVirtualRedis,
  type VirtualRedis,
  type VirtualRedisOptions,
} from './virtual-redis/connect-virtual-redis.js';
export type { SentMessage } from './record-sends.js';

export {
  faultyBroker,
  type BrokerFaults,
  type CallFault,
  type FaultOptions,
  type FaultTarget,
  type FaultyPorts,
} from './faults/faulty-broker.js';
export type { RequestRefusal } from './faults/refusal.js';
export { containsWord, type ReplyLoss, type RequestMatcher } from './faults/reply-loss.js';
export { startTcpProxy, type TcpProxy, type TcpProxyTarget } from './faults/tcp-proxy.js';
