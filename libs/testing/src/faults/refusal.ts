// Faults that make a server refuse: which requests are answered with which error, without being executed.
import type { RequestMatcher } from './reply-loss.js';

/** A running fault. */
export interface RequestRefusal {
  /** How many requests were refused so far. */
  readonly refused: number;
  /** Ends the fault. */
  stop(): void;
}

/** The server itself gives the error, so replies keep their order and their number. Static text: the error is an argument. */
const SCRIPT = 'return redis.error_reply(ARGV[1])';

export class Refusal implements RequestRefusal {
  refused = 0;
  isOver = false;
  private readonly instead: Buffer;

  /** @param error the reply's text, its code first: `TRYAGAIN Multiple keys request during rehashing of slot` */
  constructor(
    private readonly matches: RequestMatcher,
    error: string,
  ) {
    const words = ['EVAL', SCRIPT, '0', error];
    const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.instead = Buffer.from(`*${words.length}\r\n${bulks.join('')}`);
  }

  /** What the server gets in place of a request that matches; undefined for others. */
  replace(request: Buffer): Buffer | undefined {
    if (this.isOver || !this.matches(request)) return undefined;
    this.refused++;
    return this.instead;
  }

  stop(): void {
    this.isOver = true;
  }
}
