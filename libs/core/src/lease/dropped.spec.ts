import { Processes } from '../../test/processes.js';
import { LeaseLostError } from '../errors.js';
import { Mq } from '../mq.js';
import { connectInMemory } from '@millrace/testing';

const TOPIC = 'orders';

describe('a full topic', () => {
  it('tells the running handler of a message that it drops: its signal aborts, its settlement is reported', async () => {
    const topics = [{ topic: TOPIC, maxLength: 1, onFull: 'drop-oldest' as const }];
    const processes = new Processes({ topic: TOPIC, group: 'billing', lease: '3s' }, { topics });
    const { test, runs, clock } = await processes.start();
    const lost: string[] = [];
    test.mq.events.on('lease-lost', ({ messageId }) => lost.push(messageId));
    await test.mq.producer.send(TOPIC, 'old');
    await clock.advance(0);
    await test.mq.producer.send(TOPIC, 'new');
    await processes.advance(1000);
    expect(runs.contexts[0]!.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(lost).toEqual([runs.contexts[0]!.messageId]);
    expect(runs.bodies).toEqual(['old', 'new']);
    runs.endAll();
    await processes.advance(100);
    expect((await test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 1, dropped: 1, leased: 0 });
    await processes.close();
  });

  it('refuses a send with a code of its own, and says that trying later can help', async () => {
    const mq = new Mq(connectInMemory(), { topics: [{ topic: TOPIC, maxLength: 1 }] });
    await mq.producer.send(TOPIC, 'first');
    const refused = { name: 'BrokerRefusedError', code: 'MQ_TOPIC_FULL', retriable: true };
    await expect(mq.producer.send(TOPIC, 'second')).rejects.toMatchObject(refused);
    await mq.close();
  });
});
