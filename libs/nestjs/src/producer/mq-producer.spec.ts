import type { Producer } from '@millrace/core';
import { describe, expect, it, jest } from '@jest/globals';
import { MqProducer, type MqSendRequest } from './mq-producer.js';
import type { MqBody, MqTopicOf } from './mq-topics.js';

declare module './mq-topics.js' {
  interface MqTopics {
    'spec-orders': { id: string };
    'spec-counts': number;
  }
}

function producer(): { calls: unknown[][]; producer: MqProducer } {
  const calls: unknown[][] = [];
  const note = (...args: unknown[]): Promise<never> => Promise.resolve(calls.push(args) as never);
  const core = { send: note, sendAll: note, cancel: note, reschedule: note } as unknown as Producer;
  return { calls, producer: new MqProducer(core) };
}

describe('MqProducer', () => {
  it('hands everything to the producer of its connection', async () => {
    const { calls, producer: sender } = producer();
    const options = { delay: '30m' };
    await sender.send('anything', null, options);
    await sender.sendAll([{ destination: 'anything', body: 1 }]);
    await sender.cancel('anything', { messageId: 'm-1' });
    await sender.reschedule('anything', { idempotencyKey: 'k' }, options);
    expect(calls).toEqual([
      ['anything', null, options],
      [[{ destination: 'anything', body: 1 }]],
      ['anything', { messageId: 'm-1' }],
      ['anything', { idempotencyKey: 'k' }, options],
    ]);
  });

  it('checks the body of a declared topic when it is compiled, with and without a tag', async () => {
    const { calls, producer: sender } = producer();
    await sender.send('spec-orders', { id: 'o-1' });
    await sender.send('spec-orders:created', { id: 'o-1' });
    // @ts-expect-error -- the body of this topic has a text as id
    await sender.send('spec-orders', { id: 1 });
    // @ts-expect-error -- the tag does not change what the topic carries
    await sender.send('spec-orders:created', 'o-1');
    await sender.sendAll([
      { destination: 'spec-orders:created', body: { id: 'o-1' } },
      { destination: 'spec-counts', body: 3 },
      { destination: 'undeclared', body: [] },
    ]);
    await sender.sendAll([
      { destination: 'spec-orders', body: { id: 'o-1' } },
      // @ts-expect-error -- each body is checked against its own destination
      { destination: 'spec-counts', body: '3' },
    ]);
    expect(calls).toHaveLength(6);
  });

  it('takes any body where the topic is not declared, or only known at run time', async () => {
    const { calls, producer: sender } = producer();
    const requests: MqSendRequest[] = [{ destination: 'anything', body: 1 }];
    const destination: string = requests[0]!.destination;
    await sender.send(destination, { anything: true });
    await sender.sendAll(requests);
    expect(calls).toHaveLength(2);
  });

  it("gives listeners their topic's payload type", () => {
    const topic: MqTopicOf<'spec-orders:created'> = 'spec-orders';
    const body: MqBody<typeof topic> = { id: 'o-1' };
    const handle = jest.fn((_order: MqBody<'spec-orders'>) => undefined);
    handle(body);
    expect(handle).toHaveBeenCalledWith({ id: 'o-1' });
  });
});
