// Consumers of an ordered group come and go under load. The processes are test/support/ordered-member.ts, compiled.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { LEASE_MS, notesKey, QUEUES, sentKey, type Note } from '../support/ordered-member.js';
import { until } from '../support/until.js';

const PROGRAM = fileURLToPath(new URL('../../dist/test/support/ordered-member.js', import.meta.url));
const LEAVE_WITH_PARENT = new URL('../../dist/test/demo/leave-with-parent.js', import.meta.url).href;
const MEMBERS = 4;
const WITHIN_MS = 20_000;
/** No queue may go without an owner for longer; the load sends to every queue ten times a second. */
const GRACEFUL_MS = 5_000;

describe('ordered consumers under load', () => {
  let namespace: string;
  let redis: Redis;
  let children: ChildProcess[];

  beforeEach(() => {
    namespace = `rolling-${randomUUID().replaceAll('-', '')}`;
    redis = new Redis(process.env.REDIS_URL!);
    children = [];
  });

  afterEach(async () => {
    await Promise.all(children.map((child) => end(child, 'SIGKILL')));
    await redis.quit();
  });

  it('keep every key in order over a rolling restart and a kill, and leave no queue alone for long (DoD 4b)', async () => {
    const members = await Promise.all(Array.from({ length: MEMBERS }, (_, index) => consumer(`first-${index}`)));
    const producer = start('producer', 'producer');
    await Promise.all(members.map(({ name }) => working(name)));

    for (const [index, { child }] of members.entries()) {
      const next = await consumer(`second-${index}`);
      await working(next.name);
      await end(child, 'SIGTERM');
      members[index] = next;
    }
    const restarted = Date.now();
    await everyQueueSince(restarted);
    const graceful = await notes();

    const killed = Date.now();
    await end(members[0]!.child, 'SIGKILL');
    await everyQueueSince(killed + LEASE_MS);
    await end(producer, 'SIGTERM');
    const sent = Number(await redis.get(sentKey(namespace)));
    const all = await until(
      'everything is done',
      async () => {
        const found = await notes();
        const done = new Set(found.filter(({ event }) => event === 'end').map(({ key, number }) => `${key} ${number}`));
        return done.size >= sent ? found : undefined;
      },
      WITHIN_MS,
    );

    expect(disorder(all)).toEqual([]);
    expect(sent).toBeGreaterThan(1000);
    expect(longestGap(graceful)).toBeLessThan(GRACEFUL_MS);
    expect(longestGap(all)).toBeLessThan(LEASE_MS + GRACEFUL_MS);
    process.stdout.write(
      `\nrolling restart: ${sent} messages, longest pause of a queue ${longestGap(graceful)} ms graceful, ${longestGap(all)} ms with a kill\n`,
    );
  }, 90_000);

  async function consumer(name: string): Promise<{ name: string; child: ChildProcess }> {
    return { name, child: start('consumer', name) };
  }

  function start(role: string, name: string): ChildProcess {
    const args = ['--enable-source-maps', '--import', LEAVE_WITH_PARENT, PROGRAM, role, namespace, name];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    children.push(child);
    return child;
  }

  async function notes(): Promise<Note[]> {
    return (await redis.lrange(notesKey(namespace), 0, -1)).map((text) => JSON.parse(text) as Note);
  }

  const working = (name: string): Promise<unknown> =>
    until(`${name} has work`, async () => (await notes()).some(({ member }) => member === name), WITHIN_MS);

  const everyQueueSince = (since: number): Promise<unknown> => {
    const handled = async (): Promise<boolean> => {
      const found = (await notes()).filter(({ event, at }) => event === 'end' && at > since);
      return new Set(found.map(({ queue }) => queue)).size === QUEUES;
    };
    return until('every queue is handled again', handled, WITHIN_MS);
  };
});

/** Starts of a message before all earlier ones of its key have ended, or after a later one has. */
function disorder(all: readonly Note[]): Note[] {
  const ended = new Map<string, number>();
  return all.filter((note) => {
    const last = ended.get(note.key) ?? -1;
    if (note.event === 'end') ended.set(note.key, Math.max(last, note.number));
    // The latest one may run a second time: its ack was lost with its process.
    return note.event === 'start' && note.number !== last + 1 && note.number !== last;
  });
}

/** Between two messages of a queue that ended one after the other, in ms. */
function longestGap(all: readonly Note[]): number {
  const latest = new Map<number, number>();
  let longest = 0;
  for (const { event, queue, at } of all) {
    if (event !== 'end') continue;
    longest = Math.max(longest, at - (latest.get(queue) ?? at));
    latest.set(queue, at);
  }
  return longest;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
