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

/** The jitter keeps processes that were started together from all trimming at once: one of them is enough. */
export class RetentionTrimmer extends BackgroundLoop {
  constructor({ broker, clock, topic, onError }: RetentionTrimmerParts) {
    super({
      name: `trim ${topic}`,
      everyMs: EVERY_MS,
      jitter: 0.5,
      pass: async () => void (await broker.trim(topic)),
      onError,
      clock,
      isIdle: () => true,
    });
  }
}
