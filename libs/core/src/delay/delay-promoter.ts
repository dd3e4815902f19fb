// Makes due messages of one shard ready. Runs in every process that sends to or consumes from the topic: there is no
// leader to lose, and promoting twice is promoting once.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';

export interface DelayPromoterParts {
  readonly broker: Pick<Broker, 'promote'>;
  readonly clock: Clock;
  readonly topic: string;
  readonly shard: number;
  readonly onError: OnLoopError;
}

/** Messages per call: bounds how long the broker is kept from other work. */
const BATCH = 100;
/** Another process may schedule something earlier than what we know: so long it may go unseen. */
const PROBE_MS = 500;
/** The same while nothing is scheduled at all: many idle topics must cost next to nothing. */
const IDLE_MS = 2000;

export class DelayPromoter extends BackgroundLoop {
  constructor(private readonly parts: DelayPromoterParts) {
    super({
      name: `promote ${parts.topic} shard ${parts.shard}`,
      everyMs: IDLE_MS,
      pass: () => this.promoteDue(),
      onError: parts.onError,
      clock: parts.clock,
      // What is due is wished for.
      isIdle: () => true,
    });
  }

  private async promoteDue(): Promise<number> {
    const { broker, topic, shard } = this.parts;
    const { promoted, nextDueInMs } = await broker.promote(topic, shard, { max: BATCH });
    // A pass per call, so that health sees a long backlog progress. A call that moved something may leave some of what is
    // due: where it lies unevenly, its order is known bit by bit.
    if (promoted >= BATCH || (promoted > 0 && nextDueInMs === 0)) return 0;
    if (nextDueInMs === undefined) return IDLE_MS;
    this.wakeIn(Math.max(1, nextDueInMs));
    return PROBE_MS;
  }
}
