// Wraps the ports of a broker so that single calls fail, lose their reply or come late: what a network does to a
// client, without a network. For specs of what is built on the ports.
import {
  systemClock,
  type BroadcastReader,
  type Broker,
  type BrokerAdmin,
  type BrokerPorts,
  type Clock,
  type DeadLetterFeed,
  type GroupControl,
  type OnceRecords,
  type HalfMessages,
  type QueueLeases,
  type ScheduleStore,
} from '@millrace/core';

/** A method of one of the ports: `settle`, `leases.acquire`, `broadcast.read`, `admin.redrive`. */
export type FaultTarget =
  | Exclude<keyof Broker, 'listen' | 'now'>
  | `leases.${keyof QueueLeases}`
  | `broadcast.${keyof BroadcastReader}`
  | `control.${keyof GroupControl}`
  | `admin.${keyof BrokerAdmin}`
  | `deadLetters.${keyof DeadLetterFeed}`
  | `once.${keyof OnceRecords}`
  | `schedules.${keyof ScheduleStore}`
  | `half.${keyof HalfMessages}`;

/** A fault that was asked for; `struck` is what a test waits on. */
export interface CallFault {
  /** Resolves when the fault has happened as often as it was to. */
  readonly struck: Promise<void>;
}

export interface FaultOptions {
  /** How many calls. @default 1 */
  times?: number;
}

/** Faults wait in line per method: each call meets at most one, the oldest. */
export class BrokerFaults {
  private readonly waiting = new Map<FaultTarget, Fault[]>();

  constructor(private readonly clock: Clock) {}

  /** The next call is not executed: it rejects. */
  failNext(
    target: FaultTarget,
    error: unknown = new Error(`${target} failed on purpose`),
    options?: FaultOptions,
  ): CallFault {
    return this.add(target, options, async () => {
      throw error;
    });
  }

  /** The next call is executed, and then rejects all the same: its caller cannot know that it was. */
  loseReply(
    target: FaultTarget,
    error: unknown = new Error(`reply to ${target} lost on purpose`),
    options?: FaultOptions,
  ): CallFault {
    return this.add(target, options, async (call) => {
      await call();
      throw error;
    });
  }

  /** The next call begins `ms` later. */
  delayNext(target: FaultTarget, ms: number, options?: FaultOptions): CallFault {
    return this.add(target, options, async (call) => {
      await this.clock.wait(ms);
      return call();
    });
  }

  /** Takes back every fault that has not struck. */
  clear(): void {
    this.waiting.clear();
  }

  /** @internal Runs a call through the fault that is first in line. */
  async meet(target: FaultTarget, call: () => Promise<unknown>): Promise<unknown> {
    const fault = this.waiting.get(target)?.[0];
    if (!fault) return call();
    fault.left--;
    if (fault.left === 0) this.waiting.get(target)!.shift();
    try {
      return await fault.act(call);
    } finally {
      if (--fault.running === 0) fault.strike();
    }
  }

  private add(target: FaultTarget, { times = 1 }: FaultOptions = {}, act: Fault['act']): CallFault {
    let strike!: () => void;
    const struck = new Promise<void>((resolve) => (strike = resolve));
    const line = this.waiting.get(target) ?? [];
    this.waiting.set(target, [...line, { act, strike, left: times, running: times }]);
    return { struck };
  }
}

interface Fault {
  act(call: () => Promise<unknown>): Promise<unknown>;
  strike(): void;
  /** Calls that are still to meet it, and calls that are still to get through it. */
  left: number;
  running: number;
}

export interface FaultyPorts extends BrokerPorts {
  readonly faults: BrokerFaults;
}

/** The same ports, with faults to order. @param options.clock for delays. @default systemClock */
export function faultyBroker(ports: BrokerPorts, options: { clock?: Clock } = {}): FaultyPorts {
  const faults = new BrokerFaults(options.clock ?? systemClock);
  return {
    faults,
    broker: wrap(ports.broker, '', faults),
    leases: wrap(ports.leases, 'leases.', faults),
    control: wrap(ports.control, 'control.', faults),
    broadcast: wrap(ports.broadcast, 'broadcast.', faults),
    admin: wrap(ports.admin, 'admin.', faults),
    deadLetters: wrap(ports.deadLetters, 'deadLetters.', faults),
    ...(ports.once ? { once: wrap(ports.once, 'once.', faults) } : {}),
    schedules: ports.schedules && wrap(ports.schedules, 'schedules.', faults),
    ...(ports.half && { half: wrap(ports.half, 'half.', faults) }),
  };
}

function wrap<T extends object>(port: T, prefix: string, faults: BrokerFaults): T {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || typeof name !== 'string') return member;
      // These answer at once.
      if (name === 'listen' || name === 'now') return member.bind(target) as unknown;
      return (...args: unknown[]) =>
        faults.meet(`${prefix}${name}` as FaultTarget, async () => (member as Call).apply(target, args));
    },
  });
}

type Call = (...args: unknown[]) => Promise<unknown>;
