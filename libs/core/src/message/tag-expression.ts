// RocketMQ tag expressions: '*', 'a', 'a || b'. Exact text comparison.
import { InvalidOptionError } from '../errors.js';

export interface TagExpression {
  /** Undefined = every message, with or without a tag. */
  readonly tags?: ReadonlySet<string>;
  matches(tag: string): boolean;
}

/** A tag has 1 to 127 characters, no '|' and no white space. */
export function checkTag(tag: unknown, option = 'tag'): string {
  if (typeof tag !== 'string' || tag.length === 0 || tag.length > 127 || /[|\s]/.test(tag) || tag === '*')
    throw new InvalidOptionError(option, tag, "a tag is 1 to 127 characters without '|' and spaces, and not '*'");
  return tag;
}

export function parseTags(expression: unknown = '*', option = 'tags'): TagExpression {
  if (typeof expression !== 'string') throw new InvalidOptionError(option, expression, 'must be a tag expression');
  if (expression.trim() === '*') return { matches: () => true };
  const tags = new Set(expression.split('||').map((part) => checkTag(part.trim(), option)));
  return { tags, matches: (tag) => tags.has(tag) };
}

/** Whether some tag matches both: two listeners of one group must not compete inside one process. */
export function overlaps(a: TagExpression, b: TagExpression): boolean {
  if (!a.tags || !b.tags) return true;
  return [...a.tags].some((tag) => b.tags!.has(tag));
}
