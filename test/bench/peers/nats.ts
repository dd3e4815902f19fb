// NATS JetStream as its documentation uses it: acknowledged publishes, a durable pull consumer with explicit acks.
import { AckPolicy, jetstream, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import {
  atPace,
  BODY,
  expectCount,
  expectSoon,
  finished,
  noWork,
  rate,
  type Bench,
  type Contender,
  type Pace,
} from '../scenario.js';
import type { PeerServer } from '../servers/peer-server.js';
import { onServer } from './peer.js';

const NAME = 'bench';
const GROUP = 'bench';
const PREFETCH = 500;
/** More pings than the time between two turns: the frozen server must not be taken for a dead one. */
const PING_MS = 3_600_000;

export function natsSending(bench: Bench, count: number, pace: Pace): Promise<Contender> {
  return onServer(bench, 'nats jetstream', 'nats', async (server) => {
    const { connection, manager, empty } = await open(server);
    const stream = jetstream(connection);
    const payload = JSON.stringify(BODY);
    return {
      prepare: empty,
      async run() {
        const started = performance.now();
        await atPace(count, pace, () => stream.publish(NAME, payload));
        const perSecond = rate(count, started);
        expectCount('messages stored', (await manager.streams.info(NAME)).state.messages, count);
        return perSecond;
      },
      close: () => connection.close(),
    };
  });
}

export function natsConsuming(bench: Bench, count: number): Promise<Contender> {
  return onServer(bench, 'nats jetstream', 'nats', async (server) => {
    const { connection, manager, empty } = await open(server);
    const stream = jetstream(connection);
    const payload = JSON.stringify(BODY);
    return {
      settings: `${server.settings}; up to ${PREFETCH} messages at the client`,
      async prepare() {
        await empty();
        await atPace(count, { inFlight: 1000 }, () => stream.publish(NAME, payload));
        await manager.consumers.add(NAME, {
          durable_name: GROUP,
          ack_policy: AckPolicy.Explicit,
          max_ack_pending: 10 * PREFETCH,
        });
      },
      async run() {
        const consumer = await stream.consumers.get(NAME, GROUP);
        let handled = 0;
        const { promise: all, finish } = finished();
        const started = performance.now();
        const messages = await consumer.consume({
          max_messages: PREFETCH,
          callback: (message) => {
            void noWork(message.json()).then(() => {
              message.ack();
              if (++handled === count) finish();
            });
          },
        });
        await all;
        await connection.flush();
        const perSecond = rate(count, started);
        messages.stop();
        await expectSoon('messages not acknowledged', 0, async () => (await consumer.info()).num_ack_pending);
        expectCount('messages handled', handled, count);
        return perSecond;
      },
      close: () => connection.close(),
    };
  });
}

async function open({ url }: PeerServer) {
  const connection = await connect({ servers: url, pingInterval: PING_MS });
  const manager = await jetstreamManager(connection);
  return {
    connection,
    manager,
    empty: async () => {
      await manager.streams.delete(NAME).catch(() => undefined);
      const kept = { storage: StorageType.File, retention: RetentionPolicy.Limits, num_replicas: 1 };
      await manager.streams.add({ name: NAME, subjects: [NAME], ...kept });
    },
  };
}
