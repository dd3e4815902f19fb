// The contract suite on a real server in virtual time: the exactness of the in-memory broker, the scripts of production.
import { connectVirtualRedis, ManualClock } from '@millrace/testing';
import { ALL_CONTRACT_FEATURES, describeBrokerContract } from '@millrace/testing/contract';

const connection = process.env['REDIS_URL']!;

describeBrokerContract(
  'Redis in virtual time',
  async () => {
    const clock = new ManualClock();
    const first = connectVirtualRedis({ connection, clock });
    const { namespace } = first;
    return {
      ports: () => connectVirtualRedis({ connection, clock, namespace }),
      advance: (ms) => clock.advance(ms),
      now: () => clock.now(),
      close: async () => {
        await first.broker.close();
        await first.removeAll();
      },
    };
  },
  ALL_CONTRACT_FEATURES,
);
