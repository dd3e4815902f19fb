// Calls of scripts that may be repeated: again and again until an answer comes or the deadline passes.
import { BrokerRefusedError, ClosedError, MqError } from '@millrace/core';
import { CallSlots, type CallSlot } from './call-slots.js';
import type { Connections } from './connections.js';
import { Deadlines } from './deadlines.js';
import { runScript, runScriptBuffer, type ScriptArgument, type ScriptName } from './scripts.js';
import type { ServerClock } from './server-clock.js';
import { kindOf, refusal } from './server-error.js';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;
/** A frozen call may be executed for two deadlines after it was made: its own, and that of a replay; not less than this. */
const SHORTEST_LIFE_MS = 60_000;

/** The fate of a frozen call is not known; `replay` asks for it again under the same token. Internal to this library. */
export class UnknownFate extends Error {
  constructor(
    readonly replay: () => Promise<string>,
    override readonly cause: unknown,
    /** The call's life is over: no replay will know more. */
    readonly isForGood = false,
  ) {
    super('the fate of the call is not known');
  }
}

/** What becomes of a call over all its tries, replays included. */
interface Fate {
  /** One try may have been executed without its reply, or its proof, arriving. */
  maybeDone: boolean;
  readonly lane?: Lane;
}

interface FrozenCall {
  readonly name: ScriptName;
  readonly slot: CallSlot;
  readonly keys: readonly string[];
  readonly args: readonly ScriptArgument[];
  readonly fate: Fate;
  /** The same call under another token; undefined when this one is already the second. */
  readonly anew?: (serverMs: number) => Promise<string>;
}

/** Where a call is run, when not with the others: a lane that proves what was written. */
export interface Lane {
  run(name: ScriptName, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown>;
}

export class Caller {
  private readonly slots = new CallSlots();
  private readonly deadlines = new Deadlines();

  /** @param clock the server's, about: a wrong one costs a second try, or a record that lives longer */
  constructor(
    private readonly connections: Connections,
    readonly deadlineMs: number,
    private readonly clock: Pick<ServerClock, 'now'>,
  ) {}

  /** The server's clock, about: Unix ms. */
  now(): number {
    return this.clock.now();
  }

  /** Ms that never go back, by which leases are measured here. */
  monotonic(): number {
    return this.connections.monotonic();
  }

  get closed(): boolean {
    return this.connections.closed;
  }

  /** Runs a script that is idempotent by itself. Throws BrokerRefusedError or ClosedError. */
  async run(
    name: ScriptName,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    reply: 'text' | 'buffer' = 'text',
  ): Promise<unknown> {
    try {
      return await this.attempt(name, keys, args, reply, { maybeDone: false });
    } catch (error) {
      if (error instanceof UnknownFate)
        throw new BrokerRefusedError('no answer from the server', 'MQ_UNAVAILABLE', error.cause);
      throw error;
    }
  }

  /** For tidying up: one try, and no error when the server cannot be asked. */
  async tryOnce(name: ScriptName, keys: readonly string[], args: readonly ScriptArgument[]): Promise<void> {
    if (this.connections.connected)
      await runScript(this.connections.command(), name, keys, args).catch(() => undefined);
  }

  /**
   * Freezes a call: the same keys, arguments and token until its answer is known. The script's first key is the block
   * of its slot, its first two arguments the place and number of the call there and the end of its life. Throws BrokerRefusedError when it was
   * certainly not done, UnknownFate when that cannot be said.
   */
  freeze(
    name: ScriptName,
    slotKey: (block: string) => string,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    lane?: Lane,
  ): Promise<string> {
    const frozen = (serverMs: number, anew?: FrozenCall['anew']): Promise<string> => {
      const slot = this.slots.acquire(serverMs + Math.max(2 * this.deadlineMs, SHORTEST_LIFE_MS));
      const frozenKeys = [slotKey(slot.block), ...keys];
      const frozenArgs = [`${slot.field}.${slot.number}`, slot.notAfter, ...args];
      return this.play({ name, slot, keys: frozenKeys, args: frozenArgs, fate: { maybeDone: false, lane }, anew });
    };
    return frozen(this.clock.now(), frozen);
  }

  /** Asks for a frozen call until it is answered, by a new one when its life is over. Ends when the connection is closed. */
  async insist(freeze: () => Promise<string>): Promise<string> {
    for (let play = freeze; ;) {
      try {
        return await play();
      } catch (error) {
        if (!(error instanceof UnknownFate) || this.closed) throw error;
        play = error.isForGood ? freeze : error.replay;
      }
    }
  }

  private async play(call: FrozenCall): Promise<string> {
    const { name, slot, keys, args, fate, anew } = call;
    const { breaks } = this.connections;
    let reply: string;
    try {
      reply = (await this.attempt(name, keys, args, 'text', fate)) as string;
    } catch (error) {
      if (error instanceof UnknownFate) {
        fate.maybeDone = true;
        throw new UnknownFate(() => this.play(call), error.cause);
      }
      this.slots.release(slot);
      throw error;
    }
    if (reply.startsWith('LATE')) {
      // An earlier copy may have been executed, and its answer has been forgotten since.
      if (fate.maybeDone || this.connections.breaks !== breaks) {
        fate.maybeDone = true;
        throw new UnknownFate(() => this.play(call), new Error('the answer of the call is not kept any more'), true);
      }
      this.slots.release(slot);
      if (anew) return anew(Number(reply.slice('LATE '.length)));
      throw new BrokerRefusedError('the clock of the server leaps', 'MQ_UNAVAILABLE');
    }
    this.slots.release(slot);
    if (reply === 'STALE') throw new BrokerRefusedError('the slot of this call has moved on', 'MQ_REFUSED');
    return reply;
  }

  /** The first try, without anything that only a second one needs: this is the path of every message. */
  private attempt(
    name: ScriptName,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    reply: 'text' | 'buffer',
    fate: Fate,
  ): Promise<unknown> {
    const { breaks } = this.connections;
    const giveUpAt = performance.now() + this.deadlineMs;
    const once = (): Promise<unknown> => {
      if (this.connections.closed) return Promise.reject(new ClosedError('the connection'));
      const run = reply === 'text' ? runScript : runScriptBuffer;
      const left = Math.max(giveUpAt - performance.now(), 0);
      const { lane } = fate;
      const answer = lane ? lane.run(name, keys, args) : run(this.connections.command(), name, keys, args);
      return this.deadlines.guard(answer, left, () => unknown(this.connections.lastError));
    };
    return once().catch((error: unknown) => this.again(once, error, breaks, giveUpAt, fate));
  }

  private async again(
    once: () => Promise<unknown>,
    first: unknown,
    breaksBefore: number,
    giveUpAt: number,
    fate: Fate,
  ): Promise<unknown> {
    let [error, breaks, waitMs] = [first, breaksBefore, FIRST_WAIT_MS];
    for (;;) {
      if (error instanceof UnknownFate) throw error;
      // Not from the server: it was closed here, or its lane knows no proof.
      if (error instanceof MqError) throw fate.maybeDone ? unknown(error) : error;
      const kind = kindOf(error);
      if (kind === 'unknown' || this.connections.breaks !== breaks) fate.maybeDone = true;
      if (kind === 'refused') throw fate.maybeDone && !isFinal(error) ? unknown(error) : refusal(error);
      if (performance.now() + waitMs > giveUpAt) throw fate.maybeDone ? unknown(error) : refusal(error);
      await new Promise((resolve) => setTimeout(resolve, this.connections.closed ? 0 : waitMs));
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
      breaks = this.connections.breaks;
      try {
        return await once();
      } catch (next) {
        // A deadline that ends a try says nothing; what the try before was told does.
        error = next instanceof UnknownFate && next.cause === undefined ? unknown(error) : next;
      }
    }
  }
}

/** Refusals that also answer for every earlier try: had one been executed, its reply would have been replayed. */
function isFinal(error: unknown): boolean {
  return /\bOOM\b/.test((error as Error).message);
}

const unknown = (cause: unknown): UnknownFate => new UnknownFate(() => Promise.reject(cause), cause);
