import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { measure } from './measure.js';
import { PeerUnavailableError, type Bench, type Contender, type Scenario } from './scenario.js';
import { PeerServers } from './servers/peer-servers.js';

/** Answers with one figure after the other, and notes what happens to it. */
function contender(log: string[], name: string, answers: (number | readonly number[] | Error)[]): Contender {
  return {
    name,
    prepare: async () => void log.push(`${name} prepares`),
    async run() {
      const answer = answers.shift()!;
      log.push(`${name} runs`);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    rest: async () => void log.push(`${name} rests`),
    close: async () => void log.push(`${name} closes`),
  };
}

function benchOf(log: string[]): Bench {
  const config = new Map([['appendonly', 'no']]);
  const redis = {
    flushall: async () => void log.push('flush'),
    async config(verb: 'GET' | 'SET', name: string, value: string) {
      if (verb === 'GET') return [name, config.get(name)];
      log.push(`${name} ${value}`);
      return void config.set(name, value);
    },
  };
  return { redisUrl: '', redis: redis as unknown as Redis, servers: new PeerServers(false), scale: 1 };
}

function scenarioOf(ours: Contender, theirs: Scenario['theirs'], rest: Partial<Scenario> = {}): Scenario {
  return { id: 'B1', title: 'send', unit: 'msg/s', bars: {}, ours: async () => ours, theirs, ...rest };
}

const missing = async (): Promise<Contender> => {
  throw new PeerUnavailableError('absent', 'no such package');
};

describe('a measured scenario', () => {
  it('lets ours and theirs run in turn on an emptied server, and leaves the warm-up out of the medians', async () => {
    const log: string[] = [];
    const ours = contender(log, 'ours', [1, 30, 10, 20]);
    const theirs = contender(log, 'theirs', [1, 8, 10, 12]);
    const rows = await measure(scenarioOf(ours, [async () => theirs]), benchOf(log), { measured: 3, warmUps: 1 });
    expect(rows).toEqual([
      expect.objectContaining({ peer: 'theirs', ours: 20, theirs: 10, ratio: 2, runs: 3, met: undefined }),
    ]);
    const turn = (name: string): string[] => ['flush', `${name} prepares`, `${name} runs`, `${name} rests`];
    const round = [...turn('ours'), ...turn('theirs')];
    expect(log).toEqual([...round, ...round, ...round, ...round, 'ours closes', 'theirs closes']);
  });

  it('judges by the bar of the peer and by the absolute one', async () => {
    const log: string[] = [];
    const theirs = contender(log, 'theirs', [10]);
    const scenario = scenarioOf(contender(log, 'ours', [20]), [async () => theirs], {
      bars: { theirs: 3 },
      ownBar: 15,
    });
    const rows = await measure(scenario, benchOf(log), { measured: 1, warmUps: 0 });
    expect(rows.map(({ peer, bar, met }) => ({ peer, bar, met }))).toEqual([
      { peer: 'theirs', bar: 3, met: false },
      { peer: '(absolute bar)', bar: 1, met: true },
    ]);
  });

  it('compares each part of it when a run gives several figures', async () => {
    const log: string[] = [];
    const theirs = contender(log, 'theirs', [[10, 2]]);
    const part = { title: '', unit: 'msg/s', bars: {} } as const;
    const parts = [
      { ...part, id: 'B1.in' },
      { ...part, id: 'B1.out' },
    ];
    const scenario = scenarioOf(contender(log, 'ours', [[20, 6]]), [async () => theirs], { parts });
    const rows = await measure(scenario, benchOf(log), { measured: 1, warmUps: 0 });
    expect(rows.map(({ scenario: id, ratio }) => ({ id, ratio }))).toEqual([
      { id: 'B1.in', ratio: 2 },
      { id: 'B1.out', ratio: 3 },
    ]);
  });

  it('has a row for a peer that cannot be had, and goes on with the others', async () => {
    const log: string[] = [];
    const theirs = contender(log, 'theirs', [10]);
    const scenario = scenarioOf(contender(log, 'ours', [20]), [missing, async () => theirs]);
    const rows = await measure(scenario, benchOf(log), { measured: 1, warmUps: 0 });
    expect(rows).toEqual([
      expect.objectContaining({ peer: 'absent', ours: 20, theirs: null, ratio: null, skipped: 'no such package' }),
      expect.objectContaining({ peer: 'theirs', ratio: 2 }),
    ]);
  });

  it('takes a peer that lost something out, with what it lost as its row', async () => {
    const log: string[] = [];
    const theirs = contender(log, 'theirs', [10, new Error('messages handled: 9, expected 10')]);
    const scenario = scenarioOf(contender(log, 'ours', [20, 20, 20]), [async () => theirs]);
    const rows = await measure(scenario, benchOf(log), { measured: 3, warmUps: 0 });
    expect(rows).toEqual([
      expect.objectContaining({ peer: 'theirs', theirs: null, failed: 'messages handled: 9, expected 10' }),
    ]);
    expect(log.filter((line) => line === 'theirs runs')).toHaveLength(2);
    expect(log.filter((line) => line === 'theirs rests')).toHaveLength(2);
    expect(log.at(-1)).toBe('theirs closes');
  });

  it('fails when ours lost something, with everything closed and the settings of the server as they were', async () => {
    const log: string[] = [];
    const ours = contender(log, 'ours', [new Error('lost')]);
    const scenario = scenarioOf(ours, [async () => contender(log, 'theirs', [])], { server: { appendonly: 'yes' } });
    await expect(measure(scenario, benchOf(log), { measured: 1, warmUps: 0 })).rejects.toThrow('lost');
    expect(log[0]).toBe('appendonly yes');
    expect(log.slice(-3)).toEqual(['ours closes', 'theirs closes', 'appendonly no']);
  });
});
