import { SoloGate } from './solo-gate.js';

describe('solo gate', () => {
  it('runs a solo at once when no handler runs, and is closed until it ends', () => {
    const gate = new SoloGate();
    const states: boolean[] = [];
    gate.runAlone(() => {
      gate.enter();
      return true;
    });
    states.push(gate.isOpen);
    gate.leave();
    states.push(gate.isOpen);
    expect(states).toEqual([false, true]);
  });

  it('waits until the last running handler has ended, letting no other begin', () => {
    const gate = new SoloGate();
    let started = false;
    gate.enter();
    gate.enter();
    gate.runAlone(() => {
      gate.enter();
      return (started = true);
    });
    expect(gate.isOpen).toBe(false);
    gate.leave();
    expect(started).toBe(false);
    gate.leave();
    expect(started).toBe(true);
  });

  it('runs several solos one after the other, then reopens', () => {
    const gate = new SoloGate();
    const events: string[] = [];
    gate.onReopen(() => events.push('reopened'));
    gate.enter();
    for (const name of ['a', 'b']) {
      gate.runAlone(() => {
        gate.enter();
        events.push(name);
        return true;
      });
    }
    gate.leave();
    gate.leave();
    expect(events).toEqual(['a', 'b']);
    gate.leave();
    expect(events).toEqual(['a', 'b', 'reopened']);
  });

  it('passes over a solo that has nothing to run any more', () => {
    const gate = new SoloGate();
    const events: string[] = [];
    gate.onReopen(() => events.push('reopened'));
    gate.enter();
    gate.runAlone(() => false);
    gate.leave();
    expect(events).toEqual(['reopened']);
    expect(gate.isOpen).toBe(true);
  });

  it('reopens when the last waiting solo is withdrawn', () => {
    const gate = new SoloGate();
    const events: string[] = [];
    gate.onReopen(() => events.push('reopened'));
    gate.enter();
    const withdraw = gate.runAlone(() => true);
    withdraw();
    withdraw();
    expect(events).toEqual(['reopened']);
    expect(gate.isOpen).toBe(true);
  });

  it('tells nobody while it was open all the time', () => {
    const gate = new SoloGate();
    let told = 0;
    gate.onReopen(() => told++);
    gate.enter();
    gate.leave();
    expect(told).toBe(0);
  });
});
