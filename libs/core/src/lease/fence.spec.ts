import { Processes } from '../../test/processes.js';
import { LeaseLostError } from '../errors.js';

const TOPIC = 'orders';

/** `UPDATE … SET value, fence WHERE fence <= $fence`. */
class FencedRow {
  value: string | undefined;
  private fence = 0;

  write(value: string, fence: number): boolean {
    if (this.fence > fence) return false;
    this.fence = fence;
    this.value = value;
    return true;
  }
}

describe('fence', () => {
  let processes: Processes;

  beforeEach(() => {
    processes = new Processes({ topic: TOPIC, group: 'billing', lease: '3s' });
  });
  afterEach(() => processes.close());

  it('refuses the write of a process that slept past its lease; its settle has no effect and is reported', async () => {
    const row = new FencedRow();
    const late = await processes.start();
    await late.test.mq.producer.send(TOPIC, 1);
    await late.clock.advance(0);
    const next = await processes.start();
    // `late` stands still, as after SIGSTOP; `next` takes the message over and finishes it.
    await processes.advance(5000, next);
    const { fence } = next.runs.contexts[0]!;
    expect(row.write('next', fence)).toBe(true);
    next.runs.end(0);
    await processes.advance(100, next);

    const lost: string[] = [];
    late.test.mq.events.on('lease-lost', ({ messageId }) => lost.push(messageId));
    const [context] = late.runs.contexts;
    expect(fence).toBeGreaterThan(context!.fence);
    expect(row.write('late', context!.fence)).toBe(false);
    late.runs.end(0);
    await late.clock.advance(0);
    expect([row.value, lost]).toEqual(['next', [context!.messageId]]);
    expect((await next.test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 1, leased: 0 });
  });

  it('is told of by the signal as soon as a process that slept asks for its leases again', async () => {
    const late = await processes.start();
    await late.test.mq.producer.send(TOPIC, 1);
    await late.clock.advance(0);
    const next = await processes.start();
    await processes.advance(5000, next);
    const { signal } = late.runs.contexts[0]!;
    expect(signal.aborted).toBe(false);
    await late.clock.advance(1000);
    expect(signal.reason).toBeInstanceOf(LeaseLostError);
  });

  it('stays the same for a process whose renewals failed but that nobody has followed', async () => {
    const only = await processes.start();
    await only.test.mq.producer.send(TOPIC, 1);
    await only.clock.advance(0);
    const [context] = only.runs.contexts;
    const before = context!.fence;
    only.test.ports.faults.failNext('renew', new Error('down'), { times: 20 });
    await processes.advance(20_000);
    expect([only.runs.contexts.length, context!.fence]).toEqual([1, before]);
  });
});
