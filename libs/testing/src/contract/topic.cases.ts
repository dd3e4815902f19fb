import { expect } from '@jest/globals';
import { topicSpec } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { bodies, outgoing } from './outgoing.js';

export function topicCases({ promise, scene, otherSubject }: ContractKit): void {
  promise('a declared topic has its settings in every process', async () => {
    const stage = await scene({ queues: 6, shards: 2, idempotencyWindow: '3m', retentionCount: 7 });
    const other = stage.subject.ports();
    try {
      const settings = await other.broker.declareTopic(topicSpec({ topic: stage.topic }));
      expect(settings).toMatchObject({ queues: 6, shards: 2, idempotencyWindowMs: 180_000, retentionCount: 7 });
      expect(await other.admin.topic(stage.topic)).toEqual(settings);
    } finally {
      await other.broker.close();
    }
  });

  promise('a setting that code spells out and that is stored with another value is a TopicError', async () => {
    const { topic, subject } = await scene({ queues: 4 });
    const other = subject.ports();
    try {
      const declared = other.broker.declareTopic(topicSpec({ topic, queues: 8 }));
      await expect(declared).rejects.toMatchObject({ name: 'TopicError', code: 'MQ_TOPIC_CONFLICT', topic });
    } finally {
      await other.broker.close();
    }
  });

  promise('a missing topic that may not be created is a TopicError, and is not created', async () => {
    const { ports, topic } = await scene();
    const spec = topicSpec({ topic: `${topic}-missing` }, false);
    const error = { name: 'TopicError', code: 'MQ_TOPIC_NOT_FOUND' };
    await expect(ports.broker.declareTopic(spec)).rejects.toMatchObject(error);
    expect(await ports.admin.topic(spec.topic)).toBeUndefined();
  });

  promise('declaring a topic again changes nothing', async () => {
    const stage = await scene({ retention: '5m' });
    const member = await stage.member('g');
    await stage.send('a');
    await stage.ports.broker.declareTopic(topicSpec({ topic: stage.topic }));
    expect(await stage.ports.admin.topic(stage.topic)).toMatchObject({ retentionMs: 300_000 });
    expect(bodies(await member.drain())).toEqual(['a']);
  });

  promise('a group that starts first gets what was sent before it existed', async () => {
    const stage = await scene();
    await stage.send('a', 'b');
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a', 'b']);
  });

  promise('a group that starts last gets only what is sent afterwards', async () => {
    const stage = await scene();
    await stage.send('before');
    const member = await stage.member('g', { startFrom: 'last' });
    await stage.send('after');
    expect(bodies(await member.drain())).toEqual(['after']);
  });

  promise(
    'a group that starts at an instant gets what became ready from then on',
    async () => {
      const stage = await scene();
      await stage.send('before');
      await stage.subject.advance(20);
      const startFrom = new Date(stage.subject.now());
      await stage.subject.advance(20);
      await stage.send('after');
      expect(bodies(await (await stage.member('g', { startFrom })).drain())).toEqual(['after']);
    },
    'startFromInstant',
  );

  promise('subscribing again never moves a group', async () => {
    const stage = await scene();
    const first = await stage.member('g');
    await stage.send('a', 'b');
    await first.ack(...(await first.drain()));
    await stage.send('c');
    const again = await stage.member('g', { startFrom: 'last' });
    expect(bodies(await again.drain())).toEqual(['c']);
  });

  promise('the lease that a group was created with holds for members that ask for another one', async () => {
    const stage = await scene();
    await stage.member('g', { leaseMs: 20_000 });
    const later = await stage.member('g', { leaseMs: 300, ports: await stage.process() });
    expect(later.subscription.leaseMs).toBe(20_000);
  });

  promise('a subscription knows how many shards and queues there are', async () => {
    const stage = await scene({ shards: 2, queues: 6 });
    expect((await stage.member('g')).subscription).toMatchObject({ shards: 2, queuesPerShard: 3 });
  });

  promise(
    'a group keeps its mode: subscribing with another one is a TopicError',
    async () => {
      const stage = await scene();
      await stage.member('g', { mode: 'ordered' });
      const error = { name: 'TopicError', code: 'MQ_TOPIC_CONFLICT' };
      await expect(stage.member('g', { mode: 'concurrent' })).rejects.toMatchObject(error);
    },
    'storedGroupMode',
  );

  promise('two namespaces do not see each other', async () => {
    const stage = await scene();
    const elsewhere = (await otherSubject()).ports();
    try {
      expect(await elsewhere.admin.topic(stage.topic)).toBeUndefined();
      await elsewhere.broker.declareTopic(stage.spec);
      await elsewhere.broker.send([outgoing(stage.topic, { body: 'elsewhere' })]);
      await stage.send('here');
      expect(bodies(await (await stage.member('g')).drain())).toEqual(['here']);
    } finally {
      await elsewhere.broker.close();
    }
  });
}
