// One client's connection through the proxy, and its connection to the server.
import type { Socket } from 'node:net';
import { OneWay, type NetworkState } from './one-way.js';
import type { Loss } from './reply-loss.js';
import { RespScanner } from './resp-scanner.js';

const NOTHING = Buffer.alloc(0);

export class ProxiedConnection {
  private readonly requests = new RespScanner();
  private readonly replies = new RespScanner();
  /** Bytes of a request that has not ended yet. */
  private partialRequest: Buffer[] = [];
  private requestCount = 0;
  private replyCount = 0;
  /** The reply that is to be lost: its number on this connection. */
  private doomed: { reply: number; loss: Loss } | undefined;
  /** False once bytes were seen that are not RESP: nothing can be counted on this connection. */
  private isCounting = true;
  /** A reply was lost: whatever comes after it must not reach the client, it would be taken for that reply. */
  private isLost = false;
  private isStranded = false;

  /** @param losses the faults that are running, looked at anew for each chunk */
  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    network: NetworkState,
    private readonly losses: () => readonly Loss[],
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
    try {
      let start = 0;
      for (const { end } of this.requests.scan(chunk)) {
        this.requestCount++;
        this.watch(chunk.subarray(start, end));
        this.partialRequest = [];
        start = end;
      }
      if (start < chunk.length) this.partialRequest.push(chunk.subarray(start));
    } catch {
      this.isCounting = false;
    }
    return chunk;
  }

  /** @param lastPart of a request that is complete now */
  private watch(lastPart: Buffer): void {
    const watching = this.losses().filter((loss) => loss.matches && !loss.isOver);
    if (this.doomed || watching.length === 0) return;
    const request = Buffer.concat([...this.partialRequest, lastPart]);
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
