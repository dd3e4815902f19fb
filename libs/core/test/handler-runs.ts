// For specs of core: a handler whose runs end when the test says so.
import type { Handler, MqContext } from '../src/consumer/mq-context.js';

interface End {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class HandlerRuns {
  /** In the order of the starts; `end(0)` ends the first. */
  readonly contexts: MqContext[] = [];
  /** How many ran at once, at most. */
  most = 0;
  private readonly ends = new Map<MqContext, End>();

  readonly handler: Handler = (context) => {
    this.contexts.push(context);
    return new Promise((resolve, reject) => {
      this.ends.set(context, { resolve, reject });
      this.most = Math.max(this.most, this.ends.size);
    });
  };

  get running(): number {
    return this.ends.size;
  }

  get bodies(): unknown[] {
    return this.contexts.map(({ message }) => message.body);
  }

  end(index: number, value?: unknown): void {
    this.take(index).resolve(value);
  }

  fail(index: number, error: unknown = new Error('failed on purpose')): void {
    this.take(index).reject(error);
  }

  endAll(): void {
    for (const [context, end] of this.ends) {
      this.ends.delete(context);
      end.resolve(undefined);
    }
  }

  private take(index: number): End {
    const context = this.contexts[index];
    const end = context && this.ends.get(context);
    if (!end) throw new Error(`run ${index} has not started, or has ended`);
    this.ends.delete(context);
    return end;
  }
}

/** A promise and the function that fulfils it. */
export function signal<T = void>(): { promise: Promise<T>; fire: (value: T) => void } {
  let fire!: (value: T) => void;
  const promise = new Promise<T>((resolve) => (fire = resolve));
  return { promise, fire };
}
