import { expect } from '@jest/globals';
import { queueOf, routeOf, type SendResult } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { bodies, outgoing } from './outgoing.js';

export function sendCases({ promise, scene }: ContractKit): void {
  promise('a message reaches a group as it was sent: id, tag, ordering key, meta and body', async () => {
    const stage = await scene();
    const meta = JSON.stringify({ v: 1, at: 5, k: ['o-1'], h: { 'x-näme': 'wörth' } });
    const message = outgoing(stage.topic, { body: '{"price":"9 €"}', tag: 'paid', orderingKey: 'o 1', meta });
    await stage.ports.broker.send([message]);
    const delivery = await (await stage.member('g')).drainOne();
    expect(delivery.message).toMatchObject({ messageId: message.messageId, tag: 'paid', orderingKey: 'o 1' });
    expect(delivery.message.meta.toString()).toBe(meta);
    expect(delivery.message.body).toEqual(message.body);
    expect(delivery).toMatchObject({ topic: stage.topic, group: 'g', source: 'queue' });
    expect(delivery.state).toEqual({ attempt: 1, crashes: 0, generation: 0, failures: [] });
  });

  promise('a message without tag and ordering key has empty ones', async () => {
    const stage = await scene();
    await stage.send('a');
    const { message } = await (await stage.member('g')).drainOne();
    expect(message).toMatchObject({ tag: '', orderingKey: '' });
  });

  promise('any bytes and a body of 1 MiB arrive unchanged', async () => {
    const stage = await scene();
    const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const large = Buffer.alloc(1024 * 1024, allBytes);
    await stage.send({ body: allBytes }, { body: large }, { body: Buffer.alloc(0) });
    const received = (await (await stage.member('g')).drain()).map(({ message }) => message.body);
    expect(received.map((body) => body.length)).toEqual([256, 1024 * 1024, 0]);
    expect(received[0]!.equals(allBytes)).toBe(true);
    expect(received[1]!.equals(large)).toBe(true);
  });

  promise('the receipt of a plain send names the message and its queue, and is no duplicate', async () => {
    const stage = await scene({ queues: 4 });
    const message = outgoing(stage.topic, { orderingKey: 'k' });
    const [result] = await stage.ports.broker.send([message]);
    expect(result).toEqual({
      ok: true,
      receipt: {
        messageId: message.messageId,
        topic: stage.topic,
        queue: queueOf('k', 4),
        duplicate: false,
        state: 'accepted',
      },
    });
  });

  promise('each message of a batch has its own receipt, in the order of the batch', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const batch = Array.from({ length: 20 }, () => outgoing(stage.topic, {}));
    const results = await stage.ports.broker.send(batch);
    expect(results.map(idOf)).toEqual(batch.map(({ messageId }) => messageId));
  });

  promise('one batch may go to several topics', async () => {
    const [one, two] = [await scene(), await scene()];
    await two.ports.broker.declareTopic(one.spec);
    const batch = [
      outgoing(one.topic, { body: 'a' }),
      outgoing(two.topic, { body: 'b' }),
      outgoing(one.topic, { body: 'c' }),
    ];
    const results = await two.ports.broker.send(batch);
    expect(results.map(idOf)).toEqual(batch.map(({ messageId }) => messageId));
    expect(bodies(await (await one.member('g')).drain())).toEqual(['a', 'c']);
    expect(bodies(await (await two.member('g')).drain())).toEqual(['b']);
  });

  promise('an empty batch has no results', async () => {
    expect(await (await scene()).ports.broker.send([])).toEqual([]);
  });

  promise('plain sends of equal messages are different messages', async () => {
    const stage = await scene();
    await stage.send('same', 'same');
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['same', 'same']);
  });

  promise('a message is stored in the shard and queue that its routing key says', async () => {
    const stage = await scene({ queues: 6, shards: 3 });
    const keys = Array.from({ length: 24 }, (_, number) => `key-${number}`);
    await stage.send(...keys.map((orderingKey) => ({ orderingKey, body: orderingKey })));
    const deliveries = await (await stage.member('g')).drain();
    expect(bodies(deliveries).toSorted()).toEqual(keys.toSorted());
    for (const { shard, queue, message } of deliveries) {
      expect({ shard, queue }).toEqual(routeOf(message.orderingKey, stage.spec));
    }
  });

  promise('messages with one ordering key come in the order they were sent, across batches and processes', async () => {
    const stage = await scene({ queues: 4 });
    const other = await stage.process();
    for (let number = 0; number < 20; number += 2) {
      await stage.send({ orderingKey: 'k', body: `${number}` });
      await stage.sendFrom(other, { orderingKey: 'k', body: `${number + 1}` });
    }
    const expected = Array.from({ length: 20 }, (_, number) => `${number}`);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(expected);
  });

  promise('a batch of 500 is stored whole and in order', async () => {
    const stage = await scene();
    const sent = Array.from({ length: 500 }, (_, number) => `${number}`);
    await stage.send(...sent);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(sent);
  });

  promise('sends that are under way at the same time are all stored, each once', async () => {
    const stage = await scene();
    const sent = Array.from({ length: 100 }, (_, number) => `${number}`);
    await Promise.all(sent.map((body) => stage.send(body)));
    expect(bodies(await (await stage.member('g')).drain()).toSorted()).toEqual(sent.toSorted());
  });

  promise('after close a send is refused with MQ_CLOSED and stores nothing', async () => {
    const stage = await scene();
    const closed = await stage.process();
    await closed.broker.close();
    await closed.broker.close();
    await expect(stage.sendFrom(closed, 'late')).rejects.toMatchObject({ code: 'MQ_CLOSED' });
    expect(await (await stage.member('g')).drain()).toEqual([]);
  });
}

function idOf(result: SendResult): string {
  return result.ok ? result.receipt.messageId : result.error.message;
}
