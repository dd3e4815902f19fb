// Names for frozen calls. A slot has at most one unresolved call at a time and numbers its calls upwards, so the server
// keeps one small reply per slot instead of one per call, and a copy of a call that arrives late is refused for ever.
// Slots lie in blocks, one key each: a million keys that end together would be a stall of the server (decision 0014).
// A call whose fate stays unknown keeps its slot: replaying it later must find its own reply, not a newer one.
import { randomBytes } from 'node:crypto';

/** Slots per block: a key that ends takes some 10 µs of the server's time. */
export const BLOCK_SLOTS = 256;

export interface CallSlot {
  /** Name of the block that it lies in. */
  readonly block: string;
  /** Its place there. */
  readonly field: number;
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
    const slot = this.free.pop() ?? this.make(notAfter);
    slot.number++;
    // Never earlier than that of the call before: its answer, which the next one replaces, is what refuses its copies.
    slot.notAfter = Math.max(slot.notAfter, Math.ceil(notAfter));
    return slot;
  }

  private make(notAfter: number): CallSlot {
    const made = this.made++;
    const block = `${this.client}.${Math.floor(made / BLOCK_SLOTS)}`;
    return { block, field: made % BLOCK_SLOTS, number: 0, notAfter };
  }

  release(slot: CallSlot): void {
    this.free.push(slot);
  }
}
