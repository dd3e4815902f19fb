// Fencing numbers of the messages of a group: each hand-over has one of its own, and what is stored comes from one of
// them and never from an earlier one than is stored already.
import type { RecordedEvent } from '../history/fault-event.js';

interface Fences {
  readonly started: Set<number>;
  stored: number;
}

export class FenceOrder {
  /** By producer and number. */
  private readonly messages = new Map<string, Fences>();

  /** What is wrong with it, if so. */
  started(event: RecordedEvent): string | undefined {
    const { started } = this.of(event);
    if (event.fence === 0) return 'started without a fence';
    if (started.has(event.fence)) return `two runs with the fence ${event.fence}`;
    started.add(event.fence);
    return undefined;
  }

  stored(event: RecordedEvent): string | undefined {
    const { fence } = event;
    const fences = this.of(event);
    if (!fences.started.has(fence)) return `an effect under the fence ${fence}, which no run had`;
    if (fence < fences.stored) return `an effect under the fence ${fence} after one under ${fences.stored}`;
    fences.stored = fence;
    return undefined;
  }

  private of({ producer, n }: RecordedEvent): Fences {
    const name = `${producer}/${n}`;
    let fences = this.messages.get(name);
    if (!fences) this.messages.set(name, (fences = { started: new Set(), stored: 0 }));
    return fences;
  }
}
