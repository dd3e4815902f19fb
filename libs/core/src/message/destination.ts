// Where a send goes, as users write it: `topic` or `topic:tag` (RocketMQ's notation).
import { InvalidOptionError } from '../errors.js';
import { checkTopicName } from '../topic.js';
import { checkTag } from './tag-expression.js';

export interface Destination {
  readonly topic: string;
  /** '' when none was written. */
  readonly tag: string;
}

/** Throws InvalidOptionError naming `option`. */
export function parseDestination(destination: unknown, option = 'send.destination'): Destination {
  if (typeof destination !== 'string')
    throw new InvalidOptionError(option, destination, "must be 'topic' or 'topic:tag'");
  // A topic name has no colon, so the first one ends it; whatever follows belongs to the tag.
  const colon = destination.indexOf(':');
  if (colon === -1) return { topic: checkTopicName(destination, option), tag: '' };
  return {
    topic: checkTopicName(destination.slice(0, colon), option),
    tag: checkTag(destination.slice(colon + 1), option),
  };
}
