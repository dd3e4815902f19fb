// A small TCP proxy that does to a connection what networks do. Protocol-blind, except for `dropNextReplyTo` and
// `refuseRequests`, which count RESP requests and replies (Redis).
import { createServer, connect, type AddressInfo, type Server } from 'node:net';
import type { NetworkState } from './one-way.js';
import { ProxiedConnection } from './proxied-connection.js';
import { Refusal, type RequestRefusal } from './refusal.js';
import { containsWord, Loss, type ReplyLoss, type RequestMatcher } from './reply-loss.js';

export interface TcpProxyTarget {
  /** @default '127.0.0.1' */
  host?: string;
  port: number;
}

/** Starts a proxy in front of `target`, on a free loopback port. Close it when done. */
export async function startTcpProxy(target: TcpProxyTarget): Promise<TcpProxy> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return new TcpProxy(server, target);
}

/**
 * The controls act on present and future connections alike, `reset`, `halfClose` and
 * `strand` on present ones only. They may be combined; `pass` takes back what can be taken back.
 */
export class TcpProxy {
  readonly host = '127.0.0.1';
  /** Where clients connect to. */
  readonly port: number;
  /** How many connections were accepted since the start. */
  accepted = 0;
  private readonly open = new Set<ProxiedConnection>();
  private readonly closing = new AbortController();
  private readonly network: NetworkState = { delayMs: 0, blackhole: undefined, closing: this.closing.signal };
  private losses: Loss[] = [];
  private refusals: Refusal[] = [];
  private endBlackhole: () => void = () => {};

  /** Use `startTcpProxy`. */
  constructor(
    private readonly server: Server,
    target: TcpProxyTarget,
  ) {
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => {
      this.accepted++;
      const { host = '127.0.0.1', port } = target;
      const upstream = connect({ host, port, allowHalfOpen: true, noDelay: true });
      const connection = new ProxiedConnection(
        client,
        upstream,
        this.network,
        () => this.losses,
        () => this.refusals,
      );
      this.open.add(connection);
      client.on('close', () => this.open.delete(connection));
    });
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.open.size;
  }

  /** Heals: ends delay, black hole, reply losses and refusals. What a black hole has held back arrives now, as after a partition. */
  pass(): void {
    this.network.delayMs = 0;
    for (const loss of this.losses) loss.stop();
    this.losses = [];
    for (const refusal of this.refusals) refusal.stop();
    this.refusals = [];
    this.network.blackhole = undefined;
    this.endBlackhole();
  }

  /** Each chunk, in both directions, arrives `ms` later than it would; 0 ends it. Order is kept. */
  delay(ms: number): void {
    this.network.delayMs = ms;
  }

  /**
   * Nothing passes any more, in neither direction, and nobody is told: no bytes, no end, no reset. New connections are
   * accepted and hear nothing. Until `pass`; `reset` before it drops what was held back, as a dead host would.
   */
  blackhole(): void {
    this.network.blackhole ??= new Promise((resolve) => (this.endBlackhole = resolve));
  }

  /**
   * Cuts all present connections with a TCP reset, on both sides. New ones are not affected.
   * Node sends an end before the reset: a peer that is reading may report either.
   */
  reset(): void {
    for (const connection of this.open) connection.reset();
  }

  /** Ends the direction to the client (FIN) of all present connections; the client's requests still reach the server. */
  halfClose(): void {
    for (const connection of this.open) connection.halfClose();
  }

  /**
   * Half-open: nothing passes on present connections any more, for good, and nobody is told; new ones are not affected.
   * What a firewall does that forgets a connection, or a peer that went without a word.
   */
  strand(): void {
    for (const connection of this.open) connection.strand();
  }

  /**
   * Loses replies: the server has done what it was asked, the client never hears of it. Each of the next `count` chunks
   * from the server is swallowed and its connection reset; with `until`, every chunk until that promise settles. A client
   * that reconnects asks and hears other things first (a handshake): to hit one command, use `dropNextReplyTo`.
   */
  dropReplies(which: { count: number } | { until: Promise<unknown> }): ReplyLoss {
    const loss = this.begin(new Loss(undefined, 'count' in which ? which.count : Infinity));
    if ('until' in which) {
      const stop = (): void => loss.stop();
      which.until.then(stop, stop);
    }
    return loss;
  }

  /**
   * Loses the reply to the next request (of any connection) that matches, and to nothing else: the request is forwarded,
   * replies before it are delivered, its own is swallowed when it has come in full, and the connection is reset.
   * Works for Redis connections that get one reply per request; not for RESP 2 subscribers and MONITOR.
   *
   * @param match a word anywhere in the request in any case (command name, key, SHA-1 of a script), or a function of
   *   the raw request bytes
   * @param options.count how many such replies, each with its own connection. @default 1
   */
  dropNextReplyTo(match: string | RequestMatcher, { count = 1 }: { count?: number } = {}): ReplyLoss {
    return this.begin(new Loss(typeof match === 'string' ? containsWord(match) : match, count));
  }

  /**
   * Has the server answer every request that matches with this error instead of doing it, for errors that a single
   * server cannot be brought to. Until `stop` or `pass`.
   *
   * @param match a word anywhere in the request in any case, or a function of the raw request bytes
   * @param error the reply's text, its code first: 'TRYAGAIN Multiple keys request during rehashing of slot'
   */
  refuseRequests(match: string | RequestMatcher, error: string): RequestRefusal {
    const refusal = new Refusal(typeof match === 'string' ? containsWord(match) : match, error);
    this.refusals = [...this.refusals.filter(({ isOver }) => !isOver), refusal];
    return refusal;
  }

  /** Cuts all connections and stops listening. Idempotent. */
  async close(): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.closing.abort();
    this.pass();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.reset();
    await closed;
  }

  private begin(loss: Loss): Loss {
    this.losses = [...this.losses.filter(({ isOver }) => !isOver), loss];
    return loss;
  }
}
