// Metadata of decorated methods, kept by (prototype, method name) and not on the function, so that another decorator
// that replaces the function (tracing, transactions) does not make a listener disappear without a word.
import { InvalidOptionError } from '@millrace/core';

/** What one decorator notes; a method may carry it several times. */
export class MethodMetadata<T> {
  private readonly key: string;

  /** @param decorator its name, without @ */
  constructor(private readonly decorator: string) {
    this.key = `millrace:${decorator}`;
  }

  /** Throws InvalidOptionError where the note would never be found. */
  add(entry: T, target: object, method: string | symbol): void {
    if (typeof target === 'function' || typeof method === 'symbol')
      throw new InvalidOptionError(`@${this.decorator}`, String(method), 'belongs on an instance method with a name');
    Reflect.defineMetadata(this.key, [...this.own(target, method), entry], target, method);
  }

  /** The latest first, which is the first in the source. An override without the decorator has none of its own. */
  of(prototype: object, method: string): readonly T[] {
    let owner: object | null = prototype;
    while (owner !== null && !Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner) as object | null;
    return owner === null ? [] : this.own(owner, method).toReversed();
  }

  private own(owner: object, method: string): readonly T[] {
    return (Reflect.getOwnMetadata(this.key, owner, method) ?? []) as readonly T[];
  }
}
