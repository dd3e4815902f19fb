// Marks a class or a method with a recurring message. What it says is read at the start of the application.
import { InvalidOptionError, type ScheduleOptions } from '@millrace/core';
import { DEFAULT_CONNECTION } from '../connection/mq-connection.js';

export interface MqCronOptions extends Omit<ScheduleOptions, 'cron' | 'every'> {
  /** Name of the schedule, unique in its topic; operators pause it by this. @default `Class` or `Class.method` */
  name?: string;
  /** Name of the connection it is stored on. @default the unnamed connection */
  connection?: string;
}

export interface CronDeclaration {
  readonly connection: string;
  /** Undefined: the name of what is decorated. */
  readonly name?: string;
  readonly options: ScheduleOptions;
}

const CRONS = 'millrace:MqCron';
/** Where what a class itself says is kept, beside its methods. */
const CLASS = Symbol('class');

/**
 * Sends a message at each tick of the pattern: stored at the start of the application as `mq.schedules.upsert` does, by every
 * process, and sent once. Several per class and method. The method is not called by it: put `@MqListener` on the one that
 * handles the messages, which may be the same. A schedule that is taken out of the code stays until it is removed. Bad options
 * end the start of the application.
 * @param pattern a cron pattern, or `{ every: '15m' }`
 */
export function MqCron(
  pattern: string | { every: ScheduleOptions['every'] },
  given: MqCronOptions,
): ClassDecorator & MethodDecorator {
  const { name, connection = DEFAULT_CONNECTION, ...rest } = given;
  const when = typeof pattern === 'object' && pattern !== null ? pattern : { cron: pattern };
  const declaration: CronDeclaration = { connection, name, options: { ...rest, ...when } };
  return (target: object, method?: string | symbol) => {
    if (method === undefined) return add(declaration, (target as { prototype: object }).prototype, CLASS);
    if (typeof target === 'function' || typeof method === 'symbol')
      throw new InvalidOptionError('@MqCron', String(method), 'belongs on a class or an instance method with a name');
    add(declaration, target, method);
  };
}

/** The `@MqCron`s of a class, by the names that their schedules have; those it inherits too, unless it overrides them. */
export function cronsOf(prototype: object, className: string): (CronDeclaration & { readonly name: string })[] {
  const found: (CronDeclaration & { name: string })[] = [];
  const seen = new Set<string | symbol>();
  for (
    let owner: object | null = prototype;
    owner && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner)
  ) {
    for (const [at, declarations] of own(owner)) {
      // A class that is extended has its own schedule under its own name; the heir has none of it.
      if (seen.has(at) || (at === CLASS && owner !== prototype)) continue;
      const place = at === CLASS ? className : `${className}.${String(at)}`;
      found.push(...declarations.map((one) => ({ ...one, name: one.name ?? place })));
    }
    for (const name of Object.getOwnPropertyNames(owner)) seen.add(name);
  }
  return found;
}

function own(owner: object): Map<string | symbol, CronDeclaration[]> {
  return (Reflect.getOwnMetadata(CRONS, owner) ?? new Map()) as Map<string | symbol, CronDeclaration[]>;
}

function add(declaration: CronDeclaration, owner: object, at: string | symbol): void {
  const declared = own(owner);
  declared.set(at, [declaration, ...(declared.get(at) ?? [])]);
  Reflect.defineMetadata(CRONS, declared, owner);
}
