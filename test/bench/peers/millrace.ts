// Millrace as an application uses it, without Nest around it.
import { Mq, type Handler, type SendOptions } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { BODY, expectCount, finished, rate, type Bench, type Contender } from '../scenario.js';

export const TOPIC = 'bench';
const GROUP = 'bench';

/** A sending contender: `work` sends `count` messages through the producer. */
export async function sending(
  bench: Bench,
  count: number,
  work: (mq: Mq, count: number) => Promise<void>,
): Promise<Contender> {
  const mq = open(bench);
  await mq.start();
  return {
    name: 'millrace',
    prepare: () => mq.producer.send(TOPIC, BODY).then(() => undefined),
    async run() {
      const started = performance.now();
      await work(mq, count);
      const perSecond = rate(count, started);
      // One message was sent by `prepare`.
      expectCount('messages stored', (await mq.admin.stats(TOPIC)).accepted, count + 1);
      return perSecond;
    },
    close: () => mq.close(),
  };
}

/** A backlog of `count` messages, sent by a process of its own life. */
export async function fill(bench: Bench, count: number, options?: SendOptions): Promise<void> {
  const mq = open(bench);
  await mq.start();
  for (let sent = 0; sent < count; sent += 1000) {
    const batch = Array.from({ length: Math.min(1000, count - sent) }, () => ({
      destination: TOPIC,
      body: BODY,
      options,
    }));
    await mq.producer.sendAll(batch);
  }
  await mq.close();
}

export function open(bench: Bench): Mq {
  return new Mq(connectRedis({ connection: bench.redisUrl, namespace: 'bench' }));
}

/** A consuming contender: a backlog of `count`, one listener. Timed from the start until every ack is stored. */
export async function consuming(bench: Bench, count: number, concurrency: number): Promise<Contender> {
  return {
    name: 'millrace',
    prepare: () => fill(bench, count),
    async run() {
      const mq = open(bench);
      let handled = 0;
      const { promise: all, finish } = finished();
      const handler: Handler = async () => {
        if (++handled === count) finish();
      };
      mq.listen({ topic: TOPIC, group: GROUP, concurrency }, handler);
      const started = performance.now();
      await mq.start();
      await all;
      await mq.stopConsuming();
      const perSecond = rate(count, started);
      const [group] = (await mq.admin.stats(TOPIC)).groups;
      await mq.close();
      expectCount('messages acknowledged', group!.done, count);
      expectCount('messages handled', handled, count);
      return perSecond;
    },
    close: async () => undefined,
  };
}

/** Handles `count` messages and stops; `backlog` others lie behind them. */
export async function draining(bench: Bench, count: number, backlog: number): Promise<Contender> {
  return {
    name: 'millrace',
    prepare: () => fill(bench, count + backlog),
    async run() {
      const mq = open(bench);
      let handled = 0;
      const { promise: enough, finish } = finished();
      mq.listen({ topic: TOPIC, group: GROUP, concurrency: 100 }, async () => {
        if (++handled === count) finish();
      });
      const started = performance.now();
      await mq.start();
      await enough;
      const perSecond = rate(count, started);
      await mq.close();
      return perSecond;
    },
    close: async () => undefined,
  };
}

/** Every group gets every message; all deliveries count. */
export async function groupsConsuming(
  bench: Bench,
  count: number,
  groups: number,
  concurrency: number,
): Promise<Contender> {
  return {
    name: 'millrace',
    prepare: () => fill(bench, count),
    async run() {
      const mq = open(bench);
      let handled = 0;
      const { promise: all, finish } = finished();
      for (let group = 0; group < groups; group++)
        mq.listen({ topic: TOPIC, group: `${GROUP}-${group}`, concurrency }, async () => {
          if (++handled === groups * count) finish();
        });
      const started = performance.now();
      await mq.start();
      await all;
      await mq.stopConsuming();
      const perSecond = rate(groups * count, started);
      const stats = await mq.admin.stats(TOPIC);
      await mq.close();
      for (const { group, done } of stats.groups) expectCount(`messages acknowledged by ${group}`, done, count);
      return perSecond;
    },
    close: async () => undefined,
  };
}

/** Share of a core that this process uses while `listeners` of as many topics wait for messages. */
export async function idling(bench: Bench, listeners: number, ms: number): Promise<Contender> {
  return {
    name: 'millrace',
    async run() {
      const mq = open(bench);
      for (let index = 0; index < listeners; index++)
        mq.listen({ topic: `idle-${index}`, group: GROUP }, async () => undefined);
      await mq.start();
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, ms));
      const { user, system } = process.cpuUsage(before);
      await mq.close();
      return ((user + system) / 1000 / ms) * 100;
    },
    close: async () => undefined,
  };
}

/** What it costs on this machine to be woken ten times a second: under a hypervisor that is most of what idling costs. */
export async function timers(ms: number): Promise<Contender> {
  return {
    name: 'ten empty timers a second',
    async run() {
      const before = process.cpuUsage();
      const timer = setInterval(() => undefined, 100);
      await new Promise((resolve) => setTimeout(resolve, ms));
      clearInterval(timer);
      const { user, system } = process.cpuUsage(before);
      return ((user + system) / 1000 / ms) * 100;
    },
    close: async () => undefined,
  };
}
