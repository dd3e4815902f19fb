import type { LoopHealth, Mq } from '@millrace/core';
import { describe, expect, it } from '@jest/globals';
import { MqConnection } from './mq-connection.js';
import type { MqRegistrar } from './mq-registrar.js';
import { MqHealth } from './mq.health.js';

const running: LoopHealth = { loop: 'trim', lastSuccessAgoMs: 60_000, lastError: undefined };

function check(
  loops: LoopHealth[],
  connection?: { connected: boolean; lastError: unknown },
): ReturnType<MqHealth['check']> {
  const mq = { health: () => loops, ports: connection ? { health: () => connection } : {} } as unknown as Mq;
  return new MqHealth(new MqConnection('default', {}, mq), { isRunning: true } as MqRegistrar).check();
}

describe('health', () => {
  it('is up while the loops succeed, however long ago, and tells about each', () => {
    expect(check([running])).toEqual({ status: 'up', consuming: true, loops: [running] });
  });

  it('is up while a loop has failed for less than 30 s, as in a failover', () => {
    expect(check([running, { loop: 'promote', lastSuccessAgoMs: 29_000, lastError: new Error('moved') }]).status).toBe(
      'up',
    );
  });

  it('is down when a loop fails and has not succeeded for 30 s, or never', () => {
    expect(check([running, { loop: 'promote', lastSuccessAgoMs: 31_000, lastError: new Error('gone') }]).status).toBe(
      'down',
    );
    expect(check([{ loop: 'promote', lastSuccessAgoMs: undefined, lastError: new Error('gone') }]).status).toBe('down');
  });

  it('is down while the connection is lost, and up before it was ever used', () => {
    const lost = { connected: false, lastError: new Error('refused') };
    expect(check([running], lost)).toMatchObject({ status: 'down', connection: lost });
    expect(check([], { connected: false, lastError: undefined }).status).toBe('up');
    expect(check([running], { connected: true, lastError: new Error('healed') }).status).toBe('up');
  });
});
