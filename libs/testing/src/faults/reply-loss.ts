// Faults that lose replies: which reply of which connection the client is never to see.

/** A running fault; `done` is what a test waits on. */
export interface ReplyLoss {
  /** Resolves when the fault has struck as often as it was to, or was stopped. */
  readonly done: Promise<void>;
  /** How many replies were lost so far. */
  readonly dropped: number;
  /** Ends the fault; what was lost stays lost. */
  stop(): void;
}

/** True for the request, in raw RESP bytes, whose reply is to be lost. */
export type RequestMatcher = (request: Buffer) => boolean;

export class Loss implements ReplyLoss {
  readonly done: Promise<void>;
  dropped = 0;
  /** Requests that matched and wait for their reply to be lost. */
  private claimed = 0;
  private finish!: () => void;
  private stopped = false;

  /** @param matches undefined: the next chunk from the server, whatever it answers */
  constructor(
    readonly matches: RequestMatcher | undefined,
    private readonly count: number,
  ) {
    this.done = new Promise((resolve) => (this.finish = resolve));
  }

  get isOver(): boolean {
    return this.stopped || this.dropped >= this.count;
  }

  /** Whether the reply to this request is to be lost; claims it when it is. */
  claims(request: Buffer): boolean {
    if (this.isOver || this.dropped + this.claimed >= this.count || !this.matches?.(request)) return false;
    this.claimed++;
    return true;
  }

  /** The connection went before the reply came: the next matching request takes its place. */
  unclaim(): void {
    this.claimed--;
  }

  strike(): void {
    this.dropped++;
    if (this.matches) this.claimed--;
    if (this.isOver) this.finish();
  }

  stop(): void {
    this.stopped = true;
    this.finish();
  }
}

/** A word anywhere in the request, in any case: a command name, a key, the SHA-1 of a script. */
export function containsWord(word: string): RequestMatcher {
  const wanted = word.toLowerCase();
  return (request) => request.toString('latin1').toLowerCase().includes(wanted);
}
