// A backlog over many ordering keys, with or without one key that only fails.
import type { Handler } from '@millrace/core';
import { BODY, expectCount, finished, rate, type Bench, type Contender } from '../scenario.js';
import { open } from './millrace.js';

const TOPIC = 'bench';
const GROUP = 'bench';
const POISON = 'poison';

export interface OrderedLoad {
  readonly keys: number;
  readonly perKey: number;
  /** Messages of the key that fails; they lie in front of all others. 0 = no such key. */
  readonly poisoned: number;
  readonly concurrency: number;
}

interface Numbered {
  readonly key: string;
  readonly number: number;
}

/** Timed: until every message of the other keys is done. Not timed: the key is resumed, and everything must be in order. */
export async function orderedConsuming(bench: Bench, name: string, load: OrderedLoad): Promise<Contender> {
  const { keys, perKey, poisoned, concurrency } = load;
  return {
    name,
    async prepare() {
      const mq = open(bench);
      await mq.start();
      const all: Numbered[] = Array.from({ length: poisoned }, (_, number) => ({ key: POISON, number }));
      for (let number = 0; number < perKey; number++)
        for (let key = 0; key < keys; key++) all.push({ key: `key-${key}`, number });
      for (let at = 0; at < all.length; at += 1000) {
        const batch = all.slice(at, at + 1000).map((body) => {
          return { destination: TOPIC, body: { ...BODY, ...body }, options: { orderingKey: body.key } };
        });
        await mq.producer.sendAll(batch);
      }
      await mq.close();
    },
    async run() {
      const mq = open(bench);
      const next = new Map<string, number>();
      const others = finished();
      const everything = finished();
      const total = keys * perKey;
      let [left, poisonLeft, isHealed] = [total, poisoned, false];
      const handler: Handler<Numbered> = async ({ message: { body } }) => {
        if (body.key === POISON && !isHealed) throw new Error('poison');
        expectCount(`next of ${body.key}`, body.number, next.get(body.key) ?? 0);
        next.set(body.key, body.number + 1);
        if (body.key === POISON) poisonLeft--;
        else if (--left === 0) others.finish();
        if (left + poisonLeft === 0) everything.finish();
      };
      const disorder = mq.events.next('retry', ({ failure }) => failure.text !== 'poison');
      mq.listen(
        {
          topic: TOPIC,
          group: GROUP,
          mode: 'ordered',
          concurrency,
          backoff: { type: 'fixed', delay: '100ms' },
          maxAttempts: 10_000,
        },
        handler,
      );
      const started = performance.now();
      await mq.start();
      await Promise.race([others.promise, disorder.then(({ failure }) => Promise.reject(new Error(failure.text)))]);
      const perSecond = rate(total, started);
      isHealed = true;
      if (poisoned > 0) {
        await mq.admin.resumeKey(TOPIC, GROUP, POISON);
        await everything.promise;
      }
      await mq.stopConsuming();
      const [group] = (await mq.admin.stats(TOPIC)).groups;
      await mq.close();
      expectCount('messages acknowledged', group!.done, total + poisoned);
      expectCount('dead letters', group!.dead, 0);
      return perSecond;
    },
    close: async () => undefined,
  };
}
