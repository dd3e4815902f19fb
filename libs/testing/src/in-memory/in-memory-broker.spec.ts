import { describeBrokerContract } from '../contract/broker-contract.js';
import { ALL_CONTRACT_FEATURES } from '../contract/contract-subject.js';
import { ManualClock } from '../manual-clock.js';
import { connectInMemory } from './connect-in-memory.js';
import { InMemoryStore } from './in-memory-store.js';

describeBrokerContract(
  'in memory',
  async () => {
    const clock = new ManualClock();
    const store = new InMemoryStore({ clock });
    return {
      ports: () => connectInMemory({ store }),
      advance: (ms) => clock.advance(ms),
      now: () => clock.now(),
      close: async () => {},
    };
  },
  ALL_CONTRACT_FEATURES,
);
