import { connectInMemory, faultyBroker, InMemoryStore, ManualClock, type FaultyPorts } from '@millrace/testing';
import type { Message } from '../message/message.js';
import { Mq } from '../mq.js';
import type { ScheduleOptions } from './schedule-options.js';

const MINUTE = 60_000;
const WHO = { by: 'ana', why: 'maintenance' };

interface Process {
  readonly mq: Mq;
  readonly ports: FaultyPorts;
}

let clock: ManualClock;
let store: InMemoryStore;
let opened: Mq[];
let heard: Message[];

beforeEach(() => {
  clock = new ManualClock();
  store = new InMemoryStore({ clock });
  opened = [];
  heard = [];
});
afterEach(() => Promise.all(opened.map((mq) => mq.close())));

/** One more process on the same storage. */
function open(): Process {
  const ports = faultyBroker(connectInMemory({ store, clock }), { clock });
  const mq = new Mq(ports, { clock });
  opened.push(mq);
  return { mq, ports };
}

async function listening(): Promise<Process> {
  const process = open();
  process.mq.listen({ topic: 'reports', group: 'g' }, async ({ message }) => void heard.push(message));
  await process.mq.start();
  return process;
}

/** Advances in steps, so that loops of equal instants take their turns. */
async function advance(ms: number, step = ms): Promise<void> {
  for (let left = ms; left > 0; left -= step) await clock.advance(Math.min(step, left));
  await clock.advance(0);
}

const ticksHeard = (): string[] => heard.map(({ headers }) => headers['mq-tick']!);
const minutely: ScheduleOptions = { topic: 'reports', every: '1m', body: { kind: 'minutely' } };

/** So many instants in steps, after the clock's beginning. */
function instants(count: number, everyMs = MINUTE): string[] {
  const start = Date.UTC(2026, 0, 1);
  return Array.from({ length: count }, (_, number) => new Date(start + (number + 1) * everyMs).toISOString());
}

describe('a schedule', () => {
  it('sends a message at each tick, with its body, options, and what tick it is', async () => {
    clock = new ManualClock(Date.UTC(2026, 2, 28, 0, 58));
    store = new InMemoryStore({ clock });
    const { mq } = await listening();
    await mq.schedules.upsert('quarter', {
      topic: 'reports',
      cron: '*/15 2,3 * * *',
      timeZone: 'Europe/Berlin',
      body: { kind: 'nightly' },
      tag: 'report',
      keys: ['k-1'],
      headers: { by: 'cron' },
      ttl: '1h',
    });
    await advance(20 * MINUTE, MINUTE);
    expect(heard).toHaveLength(2);
    expect(heard[0]).toMatchObject({ body: { kind: 'nightly' }, tag: 'report', keys: ['k-1'], ttlMs: 3_600_000 });
    expect(heard[0]!.headers).toEqual({ by: 'cron', 'mq-schedule': 'quarter', 'mq-tick': '2026-03-28T01:00:00.000Z' });
    expect(ticksHeard()[1]).toBe('2026-03-28T01:15:00.000Z');
  });

  it('is told of by list and get, with its next and last tick', async () => {
    const { mq } = await listening();
    expect(await mq.schedules.list('reports')).toEqual([]);
    expect(await mq.schedules.get('reports', 'm')).toBeUndefined();
    const schedule = await mq.schedules.upsert('m', minutely);
    expect(schedule).toMatchObject({ name: 'm', topic: 'reports', everyMs: MINUTE, missed: 'skip' });
    expect(schedule.nextAt).toEqual(new Date(instants(1)[0]!));
    expect(schedule.lastAt).toBeUndefined();
    await advance(90_000);
    await mq.schedules.upsert('a', { topic: 'reports', cron: '0 0 1 1 *' });
    const [a, m] = await mq.schedules.list('reports');
    expect(a).toMatchObject({ name: 'a', cron: '0 0 1 1 *', timeZone: 'UTC', nextAt: new Date('2027-01-01') });
    expect(m).toMatchObject({ name: 'm', lastAt: new Date(instants(1)[0]!), nextAt: new Date(instants(2)[1]!) });
    expect(await mq.schedules.get('reports', 'm')).toMatchObject({
      name: 'm',
      body: { kind: 'minutely' },
      options: {},
    });
  });

  it('keeps its order with an ordering key, and is cancelled under it', async () => {
    const { mq } = await listening();
    await mq.schedules.upsert('m', { ...minutely, orderingKey: 'one' });
    await advance(3 * MINUTE + 1, 1000);
    expect(ticksHeard()).toEqual(instants(3));
    expect(heard.map(({ orderingKey }) => orderingKey)).toEqual(['one', 'one', 'one']);
    await mq.schedules.remove('reports', 'm');
    expect((await mq.admin.stats('reports')).scheduled).toBe(0);
  });

  it('goes on with the same ticks when each process stores it at its start', async () => {
    const { mq } = await listening();
    await mq.schedules.upsert('m', minutely);
    const other = open();
    await advance(2.5 * MINUTE);
    const { revision } = await other.mq.schedules.upsert('m', minutely);
    expect(revision).toBe((await mq.schedules.get('reports', 'm'))!.revision);
    await advance(MINUTE);
    expect(ticksHeard()).toEqual(instants(3));
  });

  it('that is changed replaces the tick that waits: no instant has two', async () => {
    const { mq } = await listening();
    await mq.schedules.upsert('m', minutely);
    await advance(1.5 * MINUTE);
    await mq.schedules.upsert('m', { ...minutely, body: 'new' });
    await advance(2 * MINUTE);
    expect(ticksHeard()).toEqual(instants(3));
    expect(heard.map(({ body }) => body)).toEqual([{ kind: 'minutely' }, 'new', 'new']);
  });

  it('that is changed while its tick is delivered does not tick twice for that instant', async () => {
    const { mq, ports } = await listening();
    await mq.schedules.upsert('m', minutely);
    await advance(MINUTE - 10);
    // The order arrives before the instant, the cancel of what waited after it.
    ports.faults.delayNext('cancel', 20);
    const changed = mq.schedules.upsert('m', { ...minutely, body: 'new' });
    await advance(30, 1);
    await changed;
    await advance(MINUTE);
    expect(ticksHeard()).toEqual(instants(2));
  });

  it('is triggered beside its ticks', async () => {
    const { mq } = await listening();
    await mq.schedules.upsert('m', { ...minutely, tag: 't' });
    await mq.schedules.trigger('reports', 'm');
    await advance(1);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({ body: { kind: 'minutely' }, tag: 't', headers: { 'mq-schedule': 'm' } });
    expect(heard[0]!.headers['mq-tick']).toBeUndefined();
    const missing = { name: 'TopicError', code: 'MQ_SCHEDULE_NOT_FOUND' };
    await expect(mq.schedules.trigger('reports', 'no')).rejects.toMatchObject(missing);
  });

  it('is refused when it says nonsense, by the name of the option, before anything is stored', async () => {
    const { mq } = open();
    const bad: [string, unknown][] = [
      ['schedule', { topic: 'reports' }],
      ['schedule', { topic: 'reports', cron: '* * * * *', every: '1m' }],
      ['schedule.cron', { topic: 'reports', cron: '* * *' }],
      ['schedule.every', { topic: 'reports', every: '10ms' }],
      ['schedule.every', { topic: 'reports', every: 'often' }],
      ['schedule.timeZone', { topic: 'reports', cron: '* * * * *', timeZone: 'Berlin' }],
      ['schedule.timeZone', { topic: 'reports', every: '1m', timeZone: 'UTC' }],
      ['schedule.missed', { ...minutely, missed: 'never' }],
      ['schedule.topic', { ...minutely, topic: 'a b' }],
      ['schedule.body', { ...minutely, body: Buffer.from('x') }],
      ['schedule.body', { ...minutely, body: 'x'.repeat(65_536) }],
      ['schedule.orderingKey', { ...minutely, orderingKey: '' }],
      ['send.ttl', { ...minutely, ttl: 0 }],
      ['schedule.delay', { ...minutely, delay: '1m' }],
    ];
    for (const [option, options] of bad)
      await expect(mq.schedules.upsert('s', options as ScheduleOptions)).rejects.toMatchObject({
        code: 'MQ_INVALID_OPTION',
        option,
      });
    await expect(mq.schedules.upsert('a b', minutely)).rejects.toMatchObject({ option: 'schedule.name' });
    await expect(mq.schedules.pause('reports', 's', { by: '', why: 'x' })).rejects.toMatchObject({
      option: 'pause.by',
    });
    expect(await mq.schedules.list('reports')).toEqual([]);
  });
});

describe('pause, resume and remove', () => {
  it('a paused schedule sends nothing, also over changes and restarts; it says who and why', async () => {
    const { mq } = await listening();
    await mq.schedules.upsert('m', { ...minutely, missed: 'all' });
    await advance(1.5 * MINUTE);
    expect(await mq.schedules.pause('reports', 'm', WHO)).toBe(true);
    expect((await mq.admin.stats('reports')).scheduled).toBe(0);
    const other = open();
    await other.mq.schedules.upsert('m', { ...minutely, missed: 'all' });
    await advance(3 * MINUTE);
    expect(ticksHeard()).toEqual(instants(1));
    expect(await mq.schedules.get('reports', 'm')).toMatchObject({ paused: { ...WHO, since: expect.any(Date) } });
    expect((await mq.schedules.get('reports', 'm'))!.nextAt).toBeUndefined();
    expect(await mq.schedules.resume('reports', 'm')).toBe(true);
    expect(await mq.schedules.resume('reports', 'm')).toBe(false);
    await advance(MINUTE);
    // Ticks of the pause are not made up for.
    expect(ticksHeard()).toEqual([instants(1)[0], instants(5)[4]]);
  });

  it('a removed schedule sends nothing more, and can be stored again', async () => {
    const { mq } = await listening();
    await mq.schedules.upsert('m', minutely);
    await advance(1.5 * MINUTE);
    expect(await mq.schedules.remove('reports', 'm')).toBe(true);
    expect(await mq.schedules.remove('reports', 'm')).toBe(false);
    expect(await mq.schedules.list('reports')).toEqual([]);
    await advance(2 * MINUTE);
    expect(ticksHeard()).toEqual(instants(1));
    await mq.schedules.upsert('m', minutely);
    await advance(MINUTE);
    expect(ticksHeard()).toEqual([instants(1)[0], instants(4)[3]]);
  });

  it('what does not exist cannot be paused, resumed or removed', async () => {
    const { mq } = await listening();
    await mq.schedules.upsert('m', minutely);
    expect(await mq.schedules.pause('reports', 'x', WHO)).toBe(false);
    expect(await mq.schedules.resume('reports', 'x')).toBe(false);
    expect(await mq.schedules.remove('reports', 'x')).toBe(false);
  });

  it.each([500, 20_000])(
    'a tick that another process sends while the schedule is paused is taken back: %d ms',
    async (late) => {
      const slow = open();
      await slow.mq.schedules.upsert('m', minutely);
      // It has planned the tick; its send arrives when the pause has been answered, and is the last thing it does.
      await advance(MINUTE - 1);
      const delayed = slow.ports.faults.delayNext('send', late);
      const { mq, ports } = await listening();
      await advance(101);
      slow.ports.faults.failNext('schedules.read', new Error('killed'), { times: Infinity });
      expect(await mq.schedules.pause('reports', 'm', WHO)).toBe(true);
      await advance(late + 15_000);
      await delayed.struck;
      expect((await mq.admin.stats('reports')).scheduled).toBe(0);
      // Nobody looks for it any more when nobody can send it any more.
      await advance(90_000);
      expect((await ports.schedules!.read('reports'))!.schedules[0]!.drops).toEqual([]);
      await advance(3 * MINUTE, 10_000);
      expect(ticksHeard().length).toBeLessThanOrEqual(1);
    },
  );
});

describe('missed ticks', () => {
  it.each([
    ['skip', []],
    ['latest', [10]],
    ['all', [5, 10]],
  ] as const)('of 13 minutes without any process: %s', async (missed, expected) => {
    const first = open();
    await first.mq.schedules.upsert('m', { topic: 'reports', every: '5m', missed });
    await first.mq.close();
    await advance(13 * MINUTE, 13 * MINUTE);
    const { mq } = open();
    const told: string[] = [];
    mq.events.on('ticks-missed', ({ schedule, policy }) => told.push(`${schedule} ${policy}`));
    mq.listen({ topic: 'reports', group: 'g' }, async ({ message }) => void heard.push(message));
    await mq.start();
    await mq.schedules.list('reports');
    await advance(1000, 10);
    const minutes = instants(15);
    expect(ticksHeard().toSorted()).toEqual(expected.map((minute) => minutes[minute - 1]));
    await advance(2 * MINUTE, 5000);
    expect(ticksHeard()).toHaveLength(expected.length + 1);
    expect(told).toEqual(missed === 'all' ? [] : [`m ${missed}`]);
  });
});

describe('several processes', () => {
  it('send each of 500 ticks once, also when one of them dies half-way', async () => {
    const processes = [await listening(), open(), open()];
    const secondly = { topic: 'reports', every: '1s' };
    for (const { mq } of processes) await mq.schedules.upsert('m', secondly);
    let told = 0;
    for (const { mq } of processes) mq.events.on('tick', () => void told++);
    await advance(250_000, 500);
    // Killed between storing its message and noting that: as a process that gets no further answers.
    const { faults } = processes[1]!.ports;
    for (const target of ['schedules.read', 'schedules.plan', 'schedules.sent'] as const)
      faults.failNext(target, new Error('killed'), { times: Infinity });
    faults.loseReply('send', new Error('killed'), { times: Infinity });
    await advance(10_000, 500);
    await processes[1]!.mq.close();
    await advance(240_000, 500);
    await advance(500);
    expect(ticksHeard()).toEqual(instants(500, 1000));
    expect(told).toBeGreaterThan(480);
    expect((await processes[0]!.mq.admin.stats('reports')).accepted).toBe(501);
  });

  it.each(['schedules.plan', 'send', 'schedules.sent'] as const)(
    'a lost reply of %s neither loses nor doubles a tick',
    async (target) => {
      const { mq, ports } = await listening();
      await mq.schedules.upsert('m', minutely);
      for (let minute = 0; minute < 20; minute++) {
        ports.faults.loseReply(target);
        await advance(MINUTE, 5000);
      }
      await advance(1000, 50);
      expect(ticksHeard()).toEqual(instants(20));
    },
  );

  it('one that only sends or consumes learns within a minute that there are schedules', async () => {
    await listening();
    const passing = open();
    await passing.mq.schedules.upsert('m', minutely);
    await passing.mq.close();
    await advance(6 * MINUTE, 1000);
    expect(ticksHeard().slice(-3)).toEqual(instants(6).slice(-3));
  });

  it('stores its own schedules again when the data was lost', async () => {
    const { mq } = open();
    await mq.schedules.upsert('m', minutely);
    // Another, empty server in the place of the first.
    Object.assign(store, { topics: new Map() });
    await advance(2 * MINUTE, 1000);
    expect(await mq.schedules.list('reports')).toMatchObject([{ name: 'm' }]);
  });
});

describe('the loop', () => {
  it('is not there while nobody uses schedules of the topic', async () => {
    const { mq } = await listening();
    await mq.producer.send('reports', 1);
    await advance(2 * MINUTE, 1000);
    expect(mq.health().filter(({ loop }) => loop.startsWith('schedules'))).toEqual([]);
  });

  it('is shown by health, with its error; one schedule that fails does not hold up the others', async () => {
    const { mq, ports } = await listening();
    await mq.schedules.upsert('a', minutely);
    await mq.schedules.upsert('b', { ...minutely, body: 'b' });
    await advance(MINUTE + 1, 100);
    expect(mq.health().find(({ loop }) => loop === 'schedules reports')).toMatchObject({ lastError: undefined });
    heard = [];
    const errors: string[] = [];
    mq.events.on('loop-error', ({ loop }) => errors.push(loop));
    ports.faults.failNext('send', new Error('no'));
    await advance(3 * MINUTE, 100);
    expect(errors).toContain('schedules reports');
    expect(
      heard
        .map(({ headers }) => headers['mq-schedule'])
        .toSorted()
        .join(''),
    ).toBe('aaabbb');
  });

  it('does not look between two ticks in the time of a test: days go by at once', async () => {
    const { mq, ports } = await listening();
    let reads = 0;
    const { read } = ports.schedules!;
    ports.schedules!.read = (...args) => (reads++, read(...args));
    await mq.schedules.upsert('nightly', { topic: 'reports', cron: '0 3 * * *' });
    await advance(10 * 24 * 60 * MINUTE);
    expect(heard).toHaveLength(10);
    expect(reads).toBeLessThan(100);
  });

  it('tells of each tick once', async () => {
    const { mq } = await listening();
    const ticks: unknown[] = [];
    mq.events.on('tick', (tick) => ticks.push(tick));
    await mq.schedules.upsert('m', minutely);
    await advance(MINUTE + 1);
    expect(ticks[0]).toEqual({
      topic: 'reports',
      schedule: 'm',
      at: new Date(instants(1)[0]!),
      messageId: heard[0]!.messageId,
    });
    expect(ticks).toHaveLength(2);
  });
});
