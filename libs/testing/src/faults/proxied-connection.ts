// One client's connection through the proxy, and its connection to the server.
import type { Socket } from 'node:net';
import { OneWay, type NetworkState } from './one-way.js';
import type { Refusal } from './refusal.js';
import type { Loss } from './reply-loss.js';
import { RespScanner } from './resp-scanner.js';

const NOTHING = Buffer.alloc(0);

export class ProxiedConnection {
  private readonly requests = new RespScanner();
  private readonly replies = new RespScanner();
  /** Bytes of a request that has not ended yet, and how many of these chunks were forwarded already. */
  private partialRequest: Buffer[] = [];
  private forwarded = 0;
  private requestCount = 0;
  private replyCount = 0;
  /** The reply that is to be lost: its number on this connection. */
  private doomed: { reply: number; loss: Loss } | undefined;
  /** False once bytes were seen that are not RESP: nothing can be counted on this connection. */
  private isCounting = true;
  /** A reply was lost: whatever comes after it must not reach the client, it would be taken for that reply. */
  private isLost = false;
  private isStranded = false;

  /** @param losses and @param refusals the faults that are running, looked at anew for each chunk */
  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    network: NetworkState,
    private readonly losses: () => readonly Loss[],
    private readonly refusals: () => readonly Refusal[],
  ) {
    new OneWay(client, server, network).begin((chunk) => this.toServer(chunk));
    new OneWay(server, client, network).begin((chunk) => this.toClient(chunk));
    client.on('close', () => this.doomed?.loss.unclaim());
  }

  /** Cuts both sides with a TCP reset. Node sends an end first, so a peer may report either. */
  reset(): void {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }

  /** Tells the client that the server has nothing more to say, while requests still pass. */
  halfClose(): void {
    this.client.end();
  }

  /** From now on bytes vanish in both directions. */
  strand(): void {
    this.isStranded = true;
  }

  private toServer(chunk: Buffer): Buffer {
    if (this.isStranded) return NOTHING;
    if (!this.isCounting) return chunk;
    const forward: Buffer[] = [];
    let start = 0;
    try {
      for (const { end } of this.requests.scan(chunk)) {
        this.requestCount++;
        this.partialRequest.push(chunk.subarray(start, end));
        forward.push(...this.complete());
        start = end;
      }
      if (start < chunk.length) this.partialRequest.push(chunk.subarray(start));
      // A request that may have to be refused is kept until it has come in full.
      if (this.refusals().length === 0) forward.push(...this.unsent());
    } catch {
      this.isCounting = false;
      forward.push(...this.unsent(), chunk.subarray(start));
    }
    return Buffer.concat(forward);
  }

  private unsent(): Buffer[] {
    const unsent = this.partialRequest.slice(this.forwarded);
    this.forwarded = this.partialRequest.length;
    return unsent;
  }

  /** What to forward of a request that is complete now. */
  private complete(): Buffer[] {
    this.watch();
    const whole = this.forwarded === 0 && this.refusals().length > 0 ? Buffer.concat(this.partialRequest) : undefined;
    const unsent = this.unsent();
    this.partialRequest = [];
    this.forwarded = 0;
    for (const refusal of whole ? this.refusals() : []) {
      const instead = refusal.replace(whole!);
      if (instead) return [instead];
    }
    return unsent;
  }

  private watch(): void {
    const watching = this.losses().filter((loss) => loss.matches && !loss.isOver);
    if (this.doomed || watching.length === 0) return;
    const request = Buffer.concat(this.partialRequest);
    const loss = watching.find((running) => running.claims(request));
    if (loss) this.doomed = { reply: this.requestCount, loss };
  }

  private toClient(chunk: Buffer): Buffer {
    if (this.isLost || this.isStranded) return NOTHING;
    const anyReply = this.losses().find((loss) => loss.matches === undefined && !loss.isOver);
    if (anyReply) return this.lose(anyReply);
    if (!this.isCounting) return chunk;
    try {
      return this.upToDoomed(chunk);
    } catch {
      this.isCounting = false;
      return chunk;
    }
  }

  /** Everything before the doomed reply; with its last byte the connection is cut. */
  private upToDoomed(chunk: Buffer): Buffer {
    let allowed = this.isNextDoomed() ? 0 : chunk.length;
    for (const { end, isPush } of this.replies.scan(chunk)) {
      if (isPush) continue;
      if (this.isNextDoomed()) {
        const { loss } = this.doomed!;
        this.doomed = undefined;
        return this.lose(loss, chunk.subarray(0, allowed));
      }
      this.replyCount++;
      if (this.isNextDoomed()) allowed = end;
    }
    return chunk.subarray(0, allowed);
  }

  private isNextDoomed(): boolean {
    return this.doomed !== undefined && this.doomed.reply === this.replyCount + 1;
  }

  /** Cuts the connection, after the replies `before` that the client is owed, and only then tells of it. */
  private lose(loss: Loss, before: Buffer = NOTHING): Buffer {
    this.isLost = true;
    const cut = (): void => {
      this.reset();
      loss.strike();
    };
    if (before.length > 0) this.client.write(before, cut);
    else cut();
    return NOTHING;
  }
}
