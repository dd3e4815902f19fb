// The look at a server that is taken once per connection, beside the first calls and never in their way.
import type { BrokerWarning } from '@millrace/core';
import type { Redis } from 'ioredis';
import type { Connections } from './connections.js';
import { readServerFacts } from './server-facts.js';
import { serverWarnings } from './server-warnings.js';

/** Reports each kind of warning once, however many nodes give cause for it. Never throws. */
export function checkServers(connections: Connections, report: (warning: BrokerWarning) => void): void {
  const told = new Set<string>();
  connections.onServer((client) => {
    // The calls that opened the connection are written first.
    setImmediate(() => void check(client));
  });

  async function check(client: Redis): Promise<void> {
    try {
      const facts = await readServerFacts(client);
      const warnings = serverWarnings(facts, connections.isCluster ? 'cluster' : 'single');
      for (const warning of warnings) {
        if (told.has(warning.text)) continue;
        told.add(warning.text);
        report(warning);
      }
    } catch {
      // The connection is gone: the next one is looked at.
    }
  }
}
