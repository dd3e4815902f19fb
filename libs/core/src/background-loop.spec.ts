import { ManualClock } from '@millrace/testing';
import { BackgroundLoop, type LoopOptions } from './background-loop.js';

describe('background loop', () => {
  let clock: ManualClock;
  let passes: number[];
  let loop: BackgroundLoop;

  beforeEach(() => {
    clock = new ManualClock();
    passes = [];
  });
  afterEach(() => loop.stop());

  const create = (options: Partial<LoopOptions> = {}): BackgroundLoop => {
    const pass = async (): Promise<void> => void passes.push(clock.monotonic());
    loop = new BackgroundLoop({ name: 'test', everyMs: 100, clock, pass, ...options });
    return loop;
  };

  it('passes at once and then once per pause', async () => {
    create().start();
    await clock.advance(250);
    expect(passes).toEqual([0, 100, 200]);
  });

  it('goes on sooner or later when a pass says so', async () => {
    const pauses = [10, 1000, 20];
    create({
      pass: async () => {
        passes.push(clock.monotonic());
        return pauses.shift();
      },
    }).start();
    await clock.advance(1150);
    expect(passes).toEqual([0, 10, 1010, 1030, 1130]);
  });

  it('is woken earlier, never later, and only for once', async () => {
    create().start();
    await clock.advance(10);
    loop.wakeIn(500);
    loop.wakeIn(30);
    loop.wakeIn(60);
    await clock.advance(230);
    expect(passes).toEqual([0, 40, 140, 240]);
  });

  it('counts a wish that came during a pass for the pause after it', async () => {
    const pass = async (): Promise<void> => {
      passes.push(clock.monotonic());
      if (passes.length === 1) loop.wakeIn(0);
    };
    create({ pass }).start();
    await clock.advance(0);
    expect(passes).toEqual([0, 0]);
  });

  it('never ends on an error, backs off exponentially up to the cap, and recovers', async () => {
    const errors: unknown[] = [];
    let isDown = true;
    const pass = async (): Promise<void> => {
      passes.push(clock.monotonic());
      if (isDown) throw new Error('down');
    };
    create({ pass, errorDelayMs: 100, maxErrorDelayMs: 300, onError: (error, name) => errors.push([error, name]) });
    loop.start();
    await clock.advance(900);
    expect(passes).toEqual([0, 100, 300, 600, 900]);
    expect(errors).toHaveLength(5);
    expect(errors[0]).toEqual([new Error('down'), 'test']);
    isDown = false;
    await clock.advance(500);
    expect(passes.slice(5)).toEqual([1200, 1300, 1400]);
  });

  it('is not made a hot loop by wishes while it fails', async () => {
    create({
      pass: () => {
        passes.push(clock.monotonic());
        loop.wakeIn(0);
        return Promise.reject(new Error('down'));
      },
    }).start();
    await clock.advance(99);
    expect(passes).toEqual([0]);
  });

  it('survives a pass that throws before it returns a promise', async () => {
    create({
      pass: () => {
        passes.push(clock.monotonic());
        throw new Error('at once');
      },
    }).start();
    await clock.advance(100);
    expect(passes).toEqual([0, 100]);
  });

  it('stops after the pass under way, whose signal aborts', async () => {
    const events: string[] = [];
    const pass = (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        events.push('begin');
        signal.addEventListener('abort', () => {
          events.push('end');
          resolve();
        });
      });
    create({ pass }).start();
    await clock.advance(0);
    await loop.stop();
    events.push('stopped');
    await clock.advance(1000);
    expect(events).toEqual(['begin', 'end', 'stopped']);
    expect(loop.isRunning).toBe(false);
  });

  it('says nothing of a pass that failed because it was stopped', async () => {
    const errors: unknown[] = [];
    const pass = (signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    create({ pass, onError: (error) => errors.push(error) }).start();
    await clock.advance(0);
    await loop.stop();
    expect(errors).toEqual([]);
  });

  it('ends a pause when it is stopped, and can be started again', async () => {
    create().start();
    await clock.advance(30);
    await loop.stop();
    expect(clock.waiting).toBe(0);
    loop.start();
    await clock.advance(100);
    expect(passes).toEqual([0, 30, 130]);
  });

  it('never runs two passes at once: runOnce joins the one under way', async () => {
    let running = 0;
    let most = 0;
    const pass = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await clock.wait(10);
      running--;
    };
    create({ pass }).start();
    await clock.advance(5);
    const once = loop.runOnce();
    await clock.advance(5);
    await once;
    expect(most).toBe(1);
  });

  it('runs one pass without being started', async () => {
    await create().runOnce();
    await clock.advance(1000);
    expect(passes).toEqual([0]);
  });

  it('spreads its pauses by the jitter', async () => {
    create({ jitter: 0.5 }).start();
    await clock.advance(1000);
    const pauses = passes.slice(1).map((at, index) => at - passes[index]!);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(100);
    expect(new Set(pauses).size).toBeGreaterThan(1);
  });

  it('shows its last success and its last error to health', async () => {
    let isDown = false;
    create({
      pass: async () => {
        if (isDown) throw new Error('down');
      },
    });
    expect(loop.health()).toEqual({
      loop: 'test',
      lastSuccessAgoMs: undefined,
      runningForMs: undefined,
      lastError: undefined,
    });
    loop.start();
    await clock.advance(50);
    expect(loop.health()).toEqual({
      loop: 'test',
      lastSuccessAgoMs: 50,
      runningForMs: undefined,
      lastError: undefined,
    });
    isDown = true;
    await clock.advance(50);
    expect(loop.health()).toEqual({
      loop: 'test',
      lastSuccessAgoMs: 100,
      runningForMs: undefined,
      failingForMs: 0,
      lastError: new Error('down'),
    });
  });

  it('tells health since when it has been failing, and no more of it once it succeeds', async () => {
    let isDown = true;
    create({
      pass: async () => {
        if (isDown) throw new Error('down');
      },
    });
    loop.start();
    await clock.advance(450);
    expect(loop.health().failingForMs).toBe(450);
    isDown = false;
    await clock.advance(5_000);
    expect(loop.health().failingForMs).toBeUndefined();
  });

  it('shows a pass that hangs to health: how long it has been running', async () => {
    create({ pass: () => new Promise<void>(() => undefined) });
    void loop.runOnce();
    await clock.advance(70);
    expect(loop.health()).toEqual({
      loop: 'test',
      lastSuccessAgoMs: undefined,
      runningForMs: 70,
      lastError: undefined,
    });
  });
});
