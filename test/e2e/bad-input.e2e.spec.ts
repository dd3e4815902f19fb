// Bad input ends with a typed error that names the option, before anything is stored. On a real server, because only
// there "nothing" can be counted: the keys of the namespace, and the messages of the topic, before and after each call.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { Mq, MqError, type MessageRef } from '@millrace/core';
import { MqListener, MqModule, type MqListenerOptions, type MqModuleOptions } from '@millrace/nestjs';
import { connectRedis } from '@millrace/redis';
import { Redis } from 'ioredis';

/** Exists before the first row, with 4 queues. */
const KNOWN_TOPIC = 'orders';
const MIB = 1024 * 1024;
const REDIS_URL = process.env.REDIS_URL!;

interface BadCall {
  name: string;
  /** @param topic a good name, for calls that have one */
  call(topic: string): Promise<unknown>;
  /** Path of the option at fault. */
  option: string;
  /** What else the message must tell: what was given, what was meant. */
  tells: (string | RegExp)[];
  code?: string;
}

let namespace: string;
let server: Redis;
let mq: Mq;

beforeAll(async () => {
  namespace = `bad-input-${randomUUID()}`;
  server = new Redis(REDIS_URL);
  mq = new Mq(connectRedis({ connection: REDIS_URL, namespace }));
  await mq.producer.send(KNOWN_TOPIC, 'good');
});

afterAll(async () => {
  await mq.close();
  await server.quit();
});

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;
const headers = (count: number, value: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`h${n}`, value]));

/** A send with options that TypeScript would refuse too. */
function badOption(name: string, options: object, option: string, ...tells: (string | RegExp)[]): BadCall {
  return { name, call: (topic) => mq.producer.send(topic, 1, options), option, tells };
}

function badBody(name: string, body: unknown, ...tells: (string | RegExp)[]): BadCall {
  return { name, call: (topic) => mq.producer.send(topic, body), option: 'body', tells };
}

const SENDS: BadCall[] = [
  badOption('an unknown option', { dealy: '1s' }, 'send.dealy', '"1s"', "did you mean 'delay'?"),
  badOption('options that are no object', ['1s'], 'send', '["1s"]'),
  badOption('delay with deliverAt', { delay: '1s', deliverAt: new Date() }, 'send.delay', "'deliverAt'", '"1s"'),
  badOption('delay with delayLevel', { delay: '1s', delayLevel: 3 }, 'send.delay', "'delayLevel'", '"1s"'),
  badOption('a delay that is no duration', { delay: 'soon' }, 'send.delay', '"soon"', "'30s'"),
  badOption('a negative delay', { delay: -1 }, 'send.delay', '-1'),
  badOption('a delay beyond 365 days', { delay: '366d' }, 'send.delay', '"366d"', 'maxDelay'),
  badOption(
    'an instant beyond 365 days',
    { deliverAt: new Date(Date.now() + 366 * 86_400_000) },
    'send.deliverAt',
    'maxDelay',
  ),
  badOption('an instant that is no Date', { deliverAt: '2030-01-01' }, 'send.deliverAt', '"2030-01-01"'),
  badOption('a delay level that is not whole', { delayLevel: 1.5 }, 'send.delayLevel', '1.5'),
  badOption('a tag with a space', { tag: 'a b' }, 'send.tag', '"a b"'),
  badOption('a tag with a bar', { tag: 'a||b' }, 'send.tag', '"a||b"'),
  badOption('an empty idempotency key', { idempotencyKey: '' }, 'send.idempotencyKey', '""', '255'),
  badOption('an ordering key of 256 bytes', { orderingKey: 'ä'.repeat(128) }, 'send.orderingKey', 'ää', '255'),
  badOption('an empty message id', { messageId: '' }, 'send.messageId', '""'),
  badOption('a message id that is no text', { messageId: 7 }, 'send.messageId', 'given: 7'),
  badOption('maxAttempts 0', { maxAttempts: 0 }, 'send.maxAttempts', 'given: 0', 'from 1'),
  badOption('keys that are no strings', { keys: ['a', 7] }, 'send.keys[1]', 'given: 7'),
  badOption('keys that are no list', { keys: 'a' }, 'send.keys', '"a"'),
  badOption('a header that is no string', { headers: { trace: 7 } }, 'send.headers.trace', 'given: 7'),
  badOption('129 headers', { headers: headers(129, 'x') }, 'send.headers', '129 entries', '128'),
  badOption('headers of more than 32 KiB', { headers: headers(2, 'x'.repeat(16_384)) }, 'send.headers', '32772 bytes'),
  badBody('no body', undefined, 'given: undefined'),
  badBody('a function for a body', () => 1, 'given: function'),
  badBody('a body that contains itself', cyclic, /circular/i),
  badBody('a body with a bigint', { n: 1n }, /BigInt/),
  badBody('a text body of more than 4 MiB', 'x'.repeat(4 * MIB), `${4 * MIB + 2} bytes`, `${4 * MIB}`),
  badBody('a binary body of more than 4 MiB', Buffer.alloc(4 * MIB + 1), `${4 * MIB + 1} bytes`, `${4 * MIB}`),
  {
    name: 'a tag in the destination and in the options',
    call: (topic) => mq.producer.send(`${topic}:a`, 1, { tag: 'b' }),
    option: 'send.tag',
    tells: [':a', '"b"'],
  },
  {
    name: 'an empty tag in the destination',
    call: (topic) => mq.producer.send(`${topic}:`, 1),
    option: 'send.destination',
    tells: ['""'],
  },
  {
    name: 'sendAll with one bad body among good ones',
    call: (topic) =>
      mq.producer.sendAll([1, undefined, 3].map((body) => ({ destination: topic, body, options: { delay: '1h' } }))),
    option: 'body',
    tells: ['given: undefined'],
  },
  {
    name: 'sendAll with one bad option among good ones',
    call: (topic) =>
      mq.producer.sendAll([
        { destination: topic, body: 1 },
        { destination: topic, body: 2, options: { delay: 'later' } },
      ]),
    option: 'send.delay',
    tells: ['"later"'],
  },
  {
    name: 'sendAll with one delay beyond 365 days among good ones',
    call: (topic) =>
      mq.producer.sendAll([
        { destination: topic, body: 1 },
        { destination: topic, body: 2, options: { delay: '366d' } },
      ]),
    option: 'send.delay',
    tells: ['"366d"', 'maxDelay'],
  },
  {
    name: 'sendAll with an unknown field',
    call: (topic) => mq.producer.sendAll([{ destination: topic, body: 1, option: {} } as never]),
    option: 'sendAll.option',
    tells: ["did you mean 'options'?"],
  },
  {
    name: 'cancel without a reference',
    call: (topic) => mq.producer.cancel(topic, {} as MessageRef),
    option: 'ref',
    tells: ['{}', "'messageId'", "'idempotencyKey'"],
  },
  {
    name: 'cancel by id and by key',
    call: (topic) => mq.producer.cancel(topic, { messageId: 'm', idempotencyKey: 'k' }),
    option: 'ref',
    tells: ['exactly one', '"messageId":"m"'],
  },
  {
    name: 'cancel with an unknown field',
    call: (topic) => mq.producer.cancel(topic, { mesageId: 'm' } as never),
    option: 'ref.mesageId',
    tells: ["did you mean 'messageId'?"],
  },
  {
    name: 'reschedule with an empty id',
    call: (topic) => mq.producer.reschedule(topic, { messageId: '' }, { delay: '1s' }),
    option: 'ref.messageId',
    tells: ['""'],
  },
  {
    name: 'reschedule without a time',
    call: (topic) => mq.producer.reschedule(topic, { messageId: 'm' }, {}),
    option: 'reschedule',
    tells: ["'delay'", "'deliverAt'"],
  },
  {
    name: 'reschedule with two times',
    call: (topic) => mq.producer.reschedule(topic, { messageId: 'm' }, { delay: '1s', deliverAt: new Date() }),
    option: 'reschedule.delay',
    tells: ["'deliverAt'"],
  },
  {
    name: 'reschedule beyond 365 days',
    call: (topic) => mq.producer.reschedule(topic, { messageId: 'm' }, { delay: '366d' }),
    option: 'reschedule.delay',
    tells: ['"366d"', 'maxDelay'],
  },
];

const TOPIC_NAMES: BadCall[] = [
  ['with a space', 'or ders', '"or ders"'],
  ['with a brace', 'orders}', '"orders}"'],
  ['of 128 characters', 'o'.repeat(128), 'ooo'],
  ['that is empty', '', '""'],
].flatMap(([what, topic, given]) => [
  {
    name: `a send to a topic name ${what}`,
    call: () => mq.producer.send(topic!, 1),
    option: 'send.destination',
    tells: [given!],
  },
  {
    name: `a cancel on a topic name ${what}`,
    call: () => mq.producer.cancel(topic!, { messageId: 'm' }),
    option: 'topic',
    tells: [given!],
  },
]);

/** The start of an application with these listeners, as methods `first` and `second`. */
async function start(listeners: (MqListenerOptions | string)[], options: Partial<MqModuleOptions> = {}) {
  class Orders {
    first(): void {}
    second(): void {}
  }
  for (const [index, listener] of listeners.entries()) {
    const method = (['first', 'second'] as const)[index]!;
    const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, method)!;
    MqListener(listener as MqListenerOptions)(Orders.prototype, method, descriptor);
  }
  class Application {}
  const module = {
    module: Application,
    imports: [MqModule.forRoot({ connection: REDIS_URL, namespace, ...options })],
    providers: [Orders],
  };
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  await app.close();
}

function badListener(name: string, wrong: object, option: string, ...tells: (string | RegExp)[]): BadCall {
  return {
    name,
    call: (topic) => start([{ topic, group: 'billing', ...wrong }]),
    option: `listener${option}`,
    tells: ['Orders.first', ...tells],
  };
}

const LISTENERS: BadCall[] = [
  badListener('a tag expression that ends with a bar', { tags: 'paid ||' }, '.tags', '""'),
  badListener('a tag expression with a single bar', { tags: 'paid | open' }, '.tags', '"paid | open"'),
  badListener('a tag expression with the star among tags', { tags: 'paid || *' }, '.tags', '"*"'),
  badListener('a topic name with a space', { topic: 'or ders' }, '.topic', '"or ders"'),
  badListener('a group name with a space', { group: 'bil ling' }, '.group', '"bil ling"'),
  badListener('a group name of 121 characters', { group: 'g'.repeat(121) }, '.group', 'ggg', '120'),
  badListener('an unknown option', { concurency: 3 }, '.concurency', 'given: 3', "did you mean 'concurrency'?"),
  badListener('concurrency 0', { concurrency: 0 }, '.concurrency', 'given: 0', 'from 1'),
  badListener('maxAttempts 0', { maxAttempts: 0 }, '.maxAttempts', 'given: 0', 'from 1'),
  badListener('maxCrashes 0', { maxCrashes: 0 }, '.maxCrashes', 'given: 0', 'from 1'),
  badListener('a back-off of no known type', { backoff: { type: 'linear' } }, '.backoff.type', '"linear"', "'fixed'"),
  badListener('a back-off that is a text', { backoff: 'stairs' }, '.backoff', '"stairs"', "'ladder'"),
  badListener('a back-off without its delay', { backoff: { type: 'fixed' } }, '.backoff.delay', 'given: undefined'),
  badListener('a lease that is no duration', { lease: 'soon' }, '.lease', '"soon"'),
  badListener('a lease that is too short', { lease: '100ms' }, '.lease', '"100ms"', '300ms'),
  badListener('a mode that does not exist', { mode: 'fifo' }, '.mode', '"fifo"', "'ordered'"),
  {
    name: 'listeners of one group whose tags overlap',
    call: (topic) =>
      start([
        { topic, group: 'billing', tags: 'paid || open' },
        { topic, group: 'billing', tags: 'open' },
      ]),
    option: 'listener.tags',
    tells: ['Orders.first', 'Orders.second', '"open"'],
  },
  {
    name: 'listeners of one group in different modes',
    call: (topic) =>
      start([
        { topic, group: 'billing', tags: 'paid' },
        { topic, group: 'billing', tags: 'open', mode: 'ordered' },
      ]),
    option: 'listener.mode',
    tells: ['Orders.first', 'Orders.second', '"ordered"'],
  },
  {
    name: 'a listener by a name that the module does not have',
    call: (topic) => start(['unknown'], { listeners: { billing: { topic, group: 'billing' } } }),
    option: 'listeners',
    tells: ['"unknown"', 'Orders.first', 'known: billing'],
  },
];

const MODULES: BadCall[] = [
  {
    name: 'no connection',
    call: () => start([], { connection: undefined }),
    option: 'MqModule.connection',
    tells: ['is required'],
  },
  {
    name: 'an unknown module option',
    call: () => start([], { namespce: 'x' } as object),
    option: 'MqModule.namespce',
    tells: ['"x"', "did you mean 'namespace'?"],
  },
  {
    name: 'a namespace with a brace',
    call: () => start([], { namespace: `${namespace}}` }),
    option: 'redis.namespace',
    tells: ['}"'],
  },
  {
    name: 'queues that are no multiple of the shards',
    call: (topic) => start([], { topics: [{ topic, shards: 2, queues: 3 }] }),
    option: 'topic.queues',
    tells: ['given: 3', 'multiple of shards (2)'],
  },
  {
    name: 'an unknown topic option',
    call: (topic) => start([], { topics: [{ topic, shard: 2 } as never] }),
    option: 'topic.shard',
    tells: ['given: 2', "did you mean 'shards'?"],
  },
  {
    name: 'a topic declared twice with different settings',
    call: (topic) => start([], { topics: [{ topic }, { topic, queues: 8 }] }),
    option: 'topic',
    tells: ['declared twice'],
  },
  {
    name: 'settings that differ from the stored ones',
    call: () => start([], { topics: [{ topic: KNOWN_TOPIC, queues: 8 }] }),
    option: 'queues',
    tells: [KNOWN_TOPIC, 'stored with queues 4', 'code says 8'],
    code: 'MQ_TOPIC_CONFLICT',
  },
];

describe.each([
  ['a bad call on a topic that exists', () => KNOWN_TOPIC, [...SENDS, ...LISTENERS]],
  ['a bad call on a topic that nobody has used yet', newTopic, [...SENDS, ...LISTENERS]],
  ['a bad name or module option', newTopic, [...TOPIC_NAMES, ...MODULES]],
])('%s is refused, and nothing is stored', (_, topicOf, rows) => {
  it.each(rows)('$name', async ({ call, option, tells, code = 'MQ_INVALID_OPTION' }) => {
    const before = await stored();
    const error: unknown = await call(topicOf()).then(
      () => 'accepted',
      (thrown: unknown) => thrown,
    );
    const after = await stored();

    expect(error).toBeInstanceOf(MqError);
    expect(error).toMatchObject({ code, retriable: false, ...(code === 'MQ_INVALID_OPTION' && { option }) });
    const { message } = error as MqError;
    for (const told of [option, ...tells]) expect(message).toMatch(told);
    // What was given is quoted, never a whole payload.
    expect(message.length).toBeLessThan(500);
    expect(after).toEqual(before);
  });
});

describe('a good call', () => {
  it('is seen to be stored: in the messages of its topic, and in keys where it is the first', async () => {
    const before = await stored();
    await mq.producer.send(KNOWN_TOPIC, 1);
    const between = await stored();
    expect(between).not.toEqual(before);
    await mq.producer.send(newTopic(), 1);
    expect((await stored()).keys.length).toBeGreaterThan(between.keys.length);
  });

  it('starts the application that the bad rows vary', async () => {
    await start([{ topic: KNOWN_TOPIC, group: 'billing' }]);
    expect((await mq.admin.stats(KNOWN_TOPIC)).groups.map(({ group }) => group)).toEqual(['billing']);
  });
});

function newTopic(): string {
  return `new-${randomUUID()}`;
}

/** Every key of the namespace, and what the topic holds in those that every message shares. */
async function stored(): Promise<{ keys: string[]; messages: unknown }> {
  const keys: string[] = [];
  for (let cursor = ''; cursor !== '0';) {
    const [next, page] = await server.scan(cursor || '0', 'MATCH', `{${namespace}*`, 'COUNT', 1000);
    keys.push(...page);
    cursor = next;
  }
  return { keys: [...new Set(keys)].toSorted(), messages: await mq.admin.stats(KNOWN_TOPIC) };
}
