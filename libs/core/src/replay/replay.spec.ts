import { Processes } from '../../test/processes.js';
import { LeaseLostError } from '../errors.js';
import type { SendOptions } from '../producer/send-options.js';

const TOPIC = 'orders';
const GROUP = 'billing';

describe('replay', () => {
  let processes: Processes;
  afterEach(() => processes.close());

  async function start(mode: 'concurrent' | 'ordered') {
    processes = new Processes({ topic: TOPIC, group: GROUP, lease: '3s', mode });
    const { test, runs, clock } = await processes.start();
    const send = async (body: unknown, options?: SendOptions): Promise<void> => {
      await test.mq.producer.send(TOPIC, body, options);
      await clock.advance(0);
    };
    return { mq: test.mq, ports: test.ports, runs, send };
  }

  it('reaches a running consumer within some seconds, without a restart', async () => {
    const { mq, runs, send } = await start('concurrent');
    for (const [index, body] of ['a', 'b'].entries()) {
      await send(body);
      runs.end(index);
    }
    await processes.advance(100);
    expect(await mq.admin.replay(TOPIC, GROUP, { to: 'first' })).toMatchObject({ putBack: 2 });
    await processes.advance(3000);
    // Two queues have no order between them.
    expect(runs.bodies.toSorted()).toEqual(['a', 'a', 'b', 'b']);
    const [first] = runs.contexts;
    const again = runs.contexts.slice(2).find(({ messageId }) => messageId === first!.messageId);
    expect(again).toMatchObject({ messageId: first!.messageId, attempt: 1, crashes: 0 });
    expect(again!.fence).toBeGreaterThan(first!.fence);
  });

  it.each([
    ['the renewal', 0],
    ['the take-over', 20],
  ])(
    'tells a running handler by %s; what it returns is not written, and the message runs after it',
    async (_, failures) => {
      const { mq, ports, runs, send } = await start('concurrent');
      await send('a');
      if (failures > 0) ports.faults.failNext('renew', new Error('down'), { times: failures });
      const lost: string[] = [];
      mq.events.on('lease-lost', ({ messageId }) => lost.push(messageId));
      await mq.admin.replay(TOPIC, GROUP, { to: 'first' });
      await processes.advance(2900);
      expect(runs.contexts[0]!.signal.reason).toBeInstanceOf(LeaseLostError);
      expect([runs.bodies, lost]).toEqual([['a'], [runs.contexts[0]!.messageId]]);
      runs.end(0);
      await processes.advance(3000);
      expect(runs.bodies).toEqual(['a', 'a']);
      expect((await mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 0, leased: 1 });
      ports.faults.clear();
      runs.end(1);
      await processes.advance(100);
      expect((await mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 1, leased: 0 });
    },
  );

  it('keeps the order of a key, also against what has not been read yet, and waits for the handler that runs', async () => {
    const { mq, runs, send } = await start('ordered');
    const orderingKey = 'k';
    await send('a', { orderingKey });
    await processes.advance(3000);
    runs.end(0);
    await send('b', { orderingKey });
    await send('c', { orderingKey });
    await processes.advance(100);
    expect(runs.bodies).toEqual(['a', 'b']);
    await mq.admin.replay(TOPIC, GROUP, { to: 'first' });
    await processes.advance(5000);
    expect([runs.running, runs.contexts[1]!.signal.aborted]).toEqual([1, true]);
    for (let index = 1; index < 5; index++) {
      runs.end(index);
      await processes.advance(3000);
    }
    expect(runs.bodies).toEqual(['a', 'b', 'a', 'b', 'c']);
    expect((await mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 4, leased: 0, replayed: 1 });
  });

  it('forward leaves a running handler without its lease, and goes on with what is new', async () => {
    const { mq, runs, send } = await start('concurrent');
    await send('old');
    expect(await mq.admin.replay(TOPIC, GROUP, { to: 'last' })).toMatchObject({ skipped: 1 });
    await send('new');
    await processes.advance(3000);
    expect([runs.bodies, runs.contexts[0]!.signal.aborted]).toEqual([['old', 'new'], true]);
  });
});
