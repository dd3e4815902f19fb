// Error classes as options: what users hand in to tell errors apart.

export type ErrorClass = abstract new (...args: never[]) => unknown;

/** Whether `instanceof` works with it: an arrow function would make it throw. */
export function isErrorClass(value: unknown): value is ErrorClass {
  return typeof value === 'function' && typeof value.prototype === 'object' && value.prototype !== null;
}
