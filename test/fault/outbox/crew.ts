// Places for processes that are killed one after the other: a place is taken again in the background, so that the next
// fault strikes elsewhere while a process starts.
import type { MemberProcess } from '../stage/member-process.js';
import type { Stage } from '../stage/stage.js';

export class Crew {
  private constructor(
    private readonly stage: Stage,
    private readonly names: readonly string[],
    private readonly places: Promise<MemberProcess>[],
  ) {}

  static async of(
    stage: Stage,
    names: readonly string[],
    start: (name: string) => Promise<MemberProcess>,
  ): Promise<Crew> {
    const crew = new Crew(stage, names, names.map(start));
    await crew.complete();
    return crew;
  }

  get size(): number {
    return this.places.length;
  }

  name(place: number): string {
    return this.names[place]!;
  }

  /** Who is there, once it is ready. */
  member(place: number): Promise<MemberProcess> {
    return this.places[place]!;
  }

  /** Starts another one like it. */
  replace(place: number, gone: MemberProcess): void {
    const next = this.stage.again(gone);
    // Told of when somebody wants to have it.
    next.catch(() => undefined);
    this.places[place] = next;
  }

  async complete(): Promise<void> {
    await Promise.all(this.places);
  }
}
