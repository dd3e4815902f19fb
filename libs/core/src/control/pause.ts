// Pausing a topic or a group: what an operator says, and what is stored of it.
import { InvalidOptionError } from '../errors.js';
import { checkOptions } from '../option-check.js';
import { checkGroupName } from '../topic.js';

/** What `admin.pause` takes. */
export interface PauseOptions {
  /** Only this group. @default every group of the topic */
  group?: string;
  /** The server resumes by itself at this instant, by its own clock. @default until `resume` */
  until?: Date;
  /** Who pauses: shown to whoever wonders later. 1 to 200 characters. */
  by: string;
  /** Why; 1 to 1000 characters. */
  why: string;
}

/** A pause in force. */
export interface Pause {
  readonly scope: 'topic' | 'group';
  readonly by: string;
  readonly why: string;
  readonly since: Date;
  readonly until?: Date;
}

/** Checks what an operator says. Throws InvalidOptionError. */
export function checkPause(options: PauseOptions): PauseOptions {
  checkOptions('pause', options, ['group', 'until', 'by', 'why']);
  const { group, until, by, why } = options;
  if (group !== undefined) checkGroupName(group, 'pause.group');
  if (until !== undefined && !(until instanceof Date && !Number.isNaN(until.getTime())))
    throw new InvalidOptionError('pause.until', until, 'must be a Date');
  checkText('pause.by', by, 200);
  checkText('pause.why', why, 1000);
  return options;
}

export function isSamePause(a: Pause, b: Pause): boolean {
  return (
    a.scope === b.scope &&
    a.by === b.by &&
    a.why === b.why &&
    a.since.getTime() === b.since.getTime() &&
    a.until?.getTime() === b.until?.getTime()
  );
}

function checkText(option: string, text: unknown, most: number): void {
  if (typeof text !== 'string' || text.trim().length === 0 || text.length > most)
    throw new InvalidOptionError(option, text, `must be a text of 1 to ${most} characters`);
}
