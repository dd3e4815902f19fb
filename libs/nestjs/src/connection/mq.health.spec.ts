import type { LoopHealth, Mq } from '@millrace/core';
import { describe, expect, it } from '@jest/globals';
import { MqConnection } from './mq-connection.js';
import type { MqRegistrar } from './mq-registrar.js';
import { MqHealth } from './mq.health.js';

const running: LoopHealth = { loop: 'trim', lastSuccessAgoMs: 60_000, runningForMs: undefined, lastError: undefined };
const failing = { loop: 'promote', runningForMs: undefined, lastError: new Error('gone') };

function check(
  loops: LoopHealth[],
  connection?: { connected: boolean; lastError: unknown },
  startUp: { isLate: boolean; health: () => LoopHealth[] } = { isLate: false, health: () => [] },
): ReturnType<MqHealth['check']> {
  const mq = { health: () => loops, ports: connection ? { health: () => connection } : {} } as unknown as Mq;
  return new MqHealth(new MqConnection('default', {}, mq), { isRunning: true } as MqRegistrar, startUp).check();
}

describe('health', () => {
  it('is up while the loops succeed, however long ago, and tells about each', () => {
    expect(check([running])).toEqual({ status: 'up', consuming: true, starting: false, loops: [running] });
  });

  it('is down while the application runs without having reached its broker, and tells of its tries', () => {
    const trying = { ...running, loop: 'start', lastSuccessAgoMs: undefined };
    const late = { isLate: true, health: () => [trying] };
    expect(check([running], { connected: false, lastError: undefined }, late)).toMatchObject({
      status: 'down',
      starting: true,
      loops: [trying, running],
    });
  });

  it('is up while a loop has failed for less than 30 s, as in a failover', () => {
    expect(check([running, { ...failing, lastSuccessAgoMs: 29_100, failingForMs: 29_000 }]).status).toBe('up');
  });

  it('is up when a loop that looks once a minute fails for the first time', () => {
    expect(check([{ ...failing, lastSuccessAgoMs: 60_000, failingForMs: 100 }]).status).toBe('up');
  });

  it('is down when a loop has been failing for 30 s, or never succeeded', () => {
    expect(check([running, { ...failing, lastSuccessAgoMs: 31_100, failingForMs: 31_000 }]).status).toBe('down');
    expect(check([{ ...failing, lastSuccessAgoMs: undefined }]).status).toBe('down');
  });

  it('is down when a pass of a loop hangs for 30 s, though no error shows it', () => {
    const hanging = { ...running, lastSuccessAgoMs: 31_000 };
    expect(check([{ ...hanging, runningForMs: 29_000 }]).status).toBe('up');
    expect(check([{ ...hanging, runningForMs: 31_000 }]).status).toBe('down');
  });

  it('is down while the connection is lost, and up before it was ever used', () => {
    const lost = { connected: false, lastError: new Error('refused') };
    expect(check([running], lost)).toMatchObject({ status: 'down', connection: lost });
    expect(check([], { connected: false, lastError: undefined }).status).toBe('up');
    expect(check([running], { connected: true, lastError: new Error('healed') }).status).toBe('up');
  });
});
