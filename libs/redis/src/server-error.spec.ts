import { describe, expect, it } from '@jest/globals';
import { isElsewhere, isMoving, isNoGroup, kindOf, refusal } from './server-error.js';

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

describe('errors of a call', () => {
  it.each([
    'LOADING',
    'READONLY',
    'MASTERDOWN',
    'NOREPLICAS',
    'MISCONF',
    'CLUSTERDOWN',
    'TRYAGAIN',
    'MOVED',
    'ASK',
    'BUSY',
  ])('%s means not done, worth another try', (word) => {
    expect(kindOf(reply(`${word} for some reason`))).toBe('transient');
    expect(refusal(reply(`${word} for some reason`))).toMatchObject({ code: 'MQ_UNAVAILABLE', retriable: true });
  });

  it('are recognised inside the error of a script', () => {
    const wrapped = reply(
      "ERR Error running script: @user_script:3: -READONLY You can't write against a read only replica.",
    );
    expect(kindOf(wrapped)).toBe('transient');
  });

  it('of the connection mean that it may have been done', () => {
    expect(kindOf(new Error('Connection is closed.'))).toBe('unknown');
  });

  it('after too many redirections in a Cluster are what the last node said', () => {
    const redirected = (last: string): Error => new Error(`Too many Cluster redirections. Last error: ${last}`);
    expect(kindOf(redirected('ReplyError: TRYAGAIN Multiple keys request during rehashing of slot'))).toBe('transient');
    expect(kindOf(redirected('ReplyError: MOVED 1 127.0.0.1:7001'))).toBe('transient');
    expect(kindOf(redirected('Error: Connection is closed.'))).toBe('unknown');
  });

  it('tell whether the node was the wrong one, or is giving the keys away', () => {
    expect(isElsewhere(reply('MOVED 1 127.0.0.1:7001'))).toBe(true);
    expect(isElsewhere(reply('UNBLOCKED force unblock from blocking operation, instance state changed'))).toBe(true);
    expect(isElsewhere(reply('TRYAGAIN Multiple keys request during rehashing of slot'))).toBe(false);
    expect(isMoving(reply('TRYAGAIN Multiple keys request during rehashing of slot'))).toBe(true);
  });

  it('for want of memory are a typed refusal', () => {
    const oom = reply("OOM command not allowed when used memory > 'maxmemory'.");
    expect(kindOf(oom)).toBe('refused');
    expect(refusal(oom)).toMatchObject({ code: 'MQ_OUT_OF_MEMORY', retriable: true });
  });

  it('of any other kind are a refusal for good', () => {
    expect(refusal(reply('NOPERM no rights'))).toMatchObject({ code: 'MQ_REFUSED', retriable: false });
  });

  it('of a missing group or key mean: look again', () => {
    expect(isNoGroup(reply('NOGROUP No such key'))).toBe(true);
    expect(isNoGroup(reply('UNBLOCKED the stream key no longer exists'))).toBe(true);
    expect(isNoGroup(reply('UNBLOCKED force unblock from blocking operation, instance state changed'))).toBe(false);
    expect(isNoGroup(reply('OOM'))).toBe(false);
  });
});
