// Names for frozen calls. A slot has at most one unresolved call at a time and numbers its calls upwards, so the server
// keeps one small reply per slot instead of one per call, and a copy of a call that arrives late is refused for ever.
// A call whose fate stays unknown keeps its slot: replaying it later must find its own reply, not a newer one.
import { randomBytes } from 'node:crypto';

export interface CallSlot {
  readonly name: string;
  number: number;
  /** No copy of the call is executed after this instant of the server's clock (ms), and its answer is kept until then. */
  notAfter: number;
}

export class CallSlots {
  /** Random per boot: two processes, or two lives of one, never share a slot. */
  private readonly client = randomBytes(9).toString('base64url');
  private readonly free: CallSlot[] = [];
  private made = 0;

  /** A slot with the next number; give it back with `release` once the call's answer is known. */
  acquire(notAfter: number): CallSlot {
    const slot = this.free.pop() ?? { name: `${this.client}.${this.made++}`, number: 0, notAfter };
    slot.number++;
    // Never earlier than that of the call before: its answer, which the next one replaces, is what refuses its copies.
    slot.notAfter = Math.max(slot.notAfter, Math.ceil(notAfter));
    return slot;
  }

  release(slot: CallSlot): void {
    this.free.push(slot);
  }
}
