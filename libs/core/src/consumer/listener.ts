// A listener as the engine sees it: checked options and one composed handler.
import { InvalidOptionError } from '../errors.js';
import { overlaps } from '../message/tag-expression.js';
import type { ListenerSpec } from './listener-options.js';
import type { Handler } from './mq-context.js';

export interface Listener {
  /** For errors and logs: class and method of the user's code. */
  readonly name: string;
  readonly spec: ListenerSpec;
  /** Middleware and the user's code. */
  readonly handler: Handler;
}

/** What all listeners of a group on a topic must agree on: it is a property of the group, not of one listener. */
const SHARED = ['mode', 'leaseMs', 'instance'] as const;
/** The same, but not every listener has to say it. */
const SAID_ONCE = ['rateLimit', 'groupConcurrency'] as const;
const OPTION_OF = { mode: 'mode', leaseMs: 'lease', instance: 'instance' } as const;

/**
 * Refuses a listener that would compete with another one of its group in this process, or that contradicts it.
 * Throws InvalidOptionError with both names.
 */
export function checkBeside(added: Listener, others: readonly Listener[]): void {
  for (const other of others) {
    const both = `${other.name} and ${added.name} of group '${added.spec.group}' on topic '${added.spec.topic}'`;
    for (const field of SHARED) {
      if (added.spec[field] === other.spec[field]) continue;
      throw new InvalidOptionError(`listener.${OPTION_OF[field]}`, added.spec[field], `differs between ${both}`);
    }
    for (const field of SAID_ONCE) {
      const [one, two] = [added.spec[field], other.spec[field]];
      if (one === undefined || two === undefined || JSON.stringify(one) === JSON.stringify(two)) continue;
      throw new InvalidOptionError(`listener.${field}`, one, `differs between ${both}`);
    }
    if (overlaps(added.spec.tags, other.spec.tags))
      throw new InvalidOptionError('listener.tags', added.spec.tagText, `overlap between ${both}`);
  }
}
