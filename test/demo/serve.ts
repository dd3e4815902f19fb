// --serve: the shop stays open for whoever wants to try it by hand.
import { once } from 'node:events';
import type { Run } from './run.js';

export async function serve({ client, shop, surroundings, flags, signal }: Run): Promise<void> {
  await client.send('POST', '/sales', { id: 'yours', stock: 3 });
  console.log(`
  The shop is open at ${shop.url}; a sale called "yours" has 3 items, unpaid orders are cancelled after ${flags.timeoutMs / 1000} s.

    curl -s -X POST ${shop.url}/sales/yours/orders -H 'content-type: application/json' -d '{"buyerId":"me"}'
    curl -s ${shop.url}/tickets/<ticketId>
    curl -s -X POST ${shop.url}/orders/<orderId>/pay
    curl -s ${shop.url}/orders/<orderId>
    curl -s ${shop.url}/sales/yours

  ${surroundings.description.join('\n  ')}
  ${shop.processes.map(({ name, pid }) => `${name} is process ${pid}`).join(', ')}

  Ctrl-C stops everything.`);
  if (!signal.aborted) await once(signal, 'abort');
}
