// A blocked read that can be ended without losing what it brings: the wait is ended on the server, and the reply taken.
import type { Redis } from 'ioredis';
import type { Connections } from './connections.js';
import { isEnded } from './end-client.js';
import { isElsewhere, isMoving } from './server-error.js';
import type { VirtualTime } from './virtual/virtual-time.js';

/** The server checks blocked clients every 100 ms; longer blocks only cost less, and a dead socket is noticed later. */
const LONGEST_BLOCK_MS = 5_000;
/** A blocked read must be long over before its silence is taken for death. */
const BLOCKS_PER_SILENCE = 3;
/** A read is over, or its socket was left, well before this many silences. */
const SILENCES_PER_READ = 2;
const UNBLOCK_AGAIN_MS = 50;
const CUT_AFTER_MS = 2_000;
/** How long a reader looks for the node that holds its streams before it reports that it cannot read. */
const FIND_WITHIN_MS = 10_000;
/** Doubled after every look, up to the longest: each opens a connection, and an outage may last. */
const LOOK_AGAIN_MS = 100;
const LONGEST_LOOK_MS = 1_000;

class NeverAnswered extends Error {
  constructor() {
    super('a blocked read was never answered');
  }
}

export class BlockingReader {
  private client: Redis | undefined;
  private opening: Promise<Redis> | undefined;
  private closed = false;

  /** @param routingKey any key of the shard that is read */
  constructor(
    private readonly connections: Connections,
    private readonly routingKey: string,
  ) {}

  /** How long a read may block that is to wait for `waitMs`. */
  blockMs(waitMs: number): number {
    const longest = Math.min(LONGEST_BLOCK_MS, this.connections.settings.silenceMs / BLOCKS_PER_SILENCE);
    return Math.ceil(Math.min(waitMs, longest));
  }

  /**
   * Runs one blocking command. When the signal aborts, the client is unblocked and the reply, empty or not, is still
   * returned; only a server that does not answer makes it cut the socket (what it had leased is found by adoption or
   * reclaim then). In a Cluster the command follows its streams to another node: a read whose reply was lost on the way
   * is run again, and the break of its socket is what makes receivers look for lost deliveries.
   */
  run(args: readonly (string | number)[], signal?: AbortSignal): Promise<unknown> {
    const { virtual } = this.connections;
    return virtual ? this.runAtRest(args, virtual, signal) : this.follow(args, signal);
  }

  /** In a test's time nothing blocks at the server. What comes empty-handed looks again when something may have come. */
  private async runAtRest(
    args: readonly (string | number)[],
    virtual: VirtualTime,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const at = args.indexOf('BLOCK');
    if (at < 0) return this.follow(args, signal);
    const look = [...args.slice(0, at), ...args.slice(at + 2)];
    const { breaks } = this.connections;
    const endsAt = virtual.monotonic() + Number(args[at + 1]);
    for (;;) {
      const reply = await this.follow(look, signal);
      const leftMs = endsAt - virtual.monotonic();
      const isOver = signal?.aborted || this.closed || leftMs <= 0 || this.connections.breaks !== breaks;
      if (reply !== null || isOver) return reply;
      await virtual.rest(leftMs, signal);
      if (signal?.aborted || this.closed) return null;
    }
  }

  private async follow(args: readonly (string | number)[], signal?: AbortSignal): Promise<unknown> {
    const giveUpAt = performance.now() + FIND_WITHIN_MS;
    let waitMs = LOOK_AGAIN_MS;
    while (!signal?.aborted && !this.closed) {
      try {
        // Without a wait when it is open, so that the read has left when this returns.
        const client = this.client ?? (await this.open());
        return client && !signal?.aborted ? await this.once(client, args, signal) : null;
      } catch (error) {
        if (signal?.aborted || this.closed) return null;
        if (!(await this.mayFollow(error)) || performance.now() > giveUpAt) throw error;
        await pause(waitMs);
        waitMs = Math.min(2 * waitMs, LONGEST_LOOK_MS);
      }
    }
    return null;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.leave();
  }

  private async once(client: Redis, args: readonly (string | number)[], signal?: AbortSignal): Promise<unknown> {
    const [command, ...rest] = args;
    const reply = client.callBuffer(String(command), ...rest);
    let cut!: () => void;
    const wasCut = new Promise<null>((resolve) => (cut = (): void => resolve(null)));
    const unblock = (): void => void this.unblock(client, reply).then(cut);
    signal?.addEventListener('abort', unblock, { once: true });
    // ioredis forgets a call whose socket breaks twice before it is sent again: its promise never ends by itself.
    const silence = SILENCES_PER_READ * this.connections.settings.silenceMs;
    const answered = this.connections.readDeadlines.guard(reply, silence, () => new NeverAnswered());
    try {
      return await Promise.race([answered, wasCut]);
    } catch (error) {
      if (error instanceof NeverAnswered && this.client === client) await this.leave();
      throw error;
    } finally {
      signal?.removeEventListener('abort', unblock);
    }
  }

  /** Whether the error only says that the streams have moved, or are moving. The next try then finds where they are. */
  private async mayFollow(error: unknown): Promise<boolean> {
    if (isMoving(error)) return true;
    if (!isElsewhere(error) && !(this.client && isEnded(this.client))) return false;
    await this.leave();
    return true;
  }

  private async open(): Promise<Redis | undefined> {
    if (this.client) return this.client;
    this.opening ??= this.connections.blocking(this.routingKey).finally(() => (this.opening = undefined));
    const client = await this.opening;
    if (!this.closed) return (this.client = client);
    // Closed meanwhile: nobody else would end it.
    await this.connections.drop(client);
    return undefined;
  }

  private async leave(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    if (client) await this.connections.drop(client);
  }

  /** Again and again: an UNBLOCK that arrives before its read has no effect. */
  private async unblock(client: Redis, reply: Promise<unknown>): Promise<void> {
    let ended = false;
    const over = reply.catch(() => undefined).finally(() => (ended = true));
    const giveUpAt = performance.now() + CUT_AFTER_MS;
    while (!ended && performance.now() < giveUpAt && client.status === 'ready') {
      await this.unblockOnce(client).catch(() => undefined);
      await Promise.race([over, pause(UNBLOCK_AGAIN_MS)]);
    }
    // Not connected, or no answer: this socket is of no use any more, the next read opens another.
    if (ended) return;
    if (this.client === client) this.client = undefined;
    await this.connections.drop(client);
  }

  /** The client cannot be asked for its id while it is blocked; its name is unique. */
  private async unblockOnce(client: Redis): Promise<void> {
    const node = this.connections.beside(client);
    const list = (await node.client('LIST')) as string;
    const id = list
      .split('\n')
      .find((line) => line.includes(` name=${client.options.connectionName!} `))
      ?.match(/^id=(\d+)/)?.[1];
    if (id !== undefined) await node.client('UNBLOCK', Number(id));
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
