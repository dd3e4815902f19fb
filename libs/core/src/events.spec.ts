import { jest } from '@jest/globals';
import { MqEvents } from './events.js';

const skipped = { topic: 'orders', group: 'billing', messageId: 'm-1', attempt: 1 };

describe('events', () => {
  it('reach every subscriber until it unsubscribes', () => {
    const events = new MqEvents();
    const seen: string[] = [];
    const off = events.on('skipped', ({ messageId }) => seen.push(`a ${messageId}`));
    events.on('skipped', ({ messageId }) => seen.push(`b ${messageId}`));
    events.emit('skipped', skipped);
    off();
    events.emit('skipped', skipped);
    expect(seen).toEqual(['a m-1', 'b m-1', 'b m-1']);
  });

  it('of a throwing subscriber reach the others, and never the engine', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const events = new MqEvents();
    let seen = 0;
    events.on('skipped', () => {
      throw new Error('my own defect');
    });
    events.on('skipped', () => seen++);
    expect(() => events.emit('skipped', skipped)).not.toThrow();
    expect(seen).toBe(1);
    expect(warn).toHaveBeenCalledWith(new Error('my own defect'));
    warn.mockRestore();
  });

  it('say whether anybody wants them', () => {
    const events = new MqEvents();
    expect(events.wants('done')).toBe(false);
    const off = events.on('done', () => undefined);
    expect(events.wants('done')).toBe(true);
    off();
    expect(events.wants('done')).toBe(false);
  });

  it('can be waited for: the next one that matches', async () => {
    const events = new MqEvents();
    const next = events.next('skipped', ({ attempt }) => attempt === 2);
    events.emit('skipped', skipped);
    events.emit('skipped', { ...skipped, attempt: 2 });
    expect(await next).toMatchObject({ attempt: 2 });
    expect(events.wants('skipped')).toBe(false);
  });
});
