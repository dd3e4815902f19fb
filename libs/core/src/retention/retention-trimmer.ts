// Removes what no group needs any more.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';

export interface RetentionTrimmerParts {
  readonly broker: Pick<Broker, 'trim'>;
  readonly clock: Clock;
  readonly topic: string;
  readonly onError: OnLoopError;
}

const EVERY_MS = 10_000;
/** While there is nothing to remove: many idle topics must cost next to nothing. Less than health allows without a success. */
const IDLE_MS = 20_000;
/** Share of a pause that is random: processes that were started together need not all trim at once, one of them is enough. */
const JITTER = 0.5;

export class RetentionTrimmer extends BackgroundLoop {
  constructor({ broker, clock, topic, onError }: RetentionTrimmerParts) {
    super({
      name: `trim ${topic}`,
      everyMs: EVERY_MS,
      pass: async () => pauseAfter(await broker.trim(topic)),
      onError,
      clock,
      isIdle: () => true,
    });
  }
}

function pauseAfter(removed: number): number {
  return Math.ceil((removed > 0 ? EVERY_MS : IDLE_MS) * (1 - JITTER * Math.random()));
}
