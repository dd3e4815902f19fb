// A set whose members come and go with every message. A Map or Set that is used so leaves a trail of outgrown tables, and
// each of them points to the next: as soon as one lies in the old space of the heap, all that later ones held outlives
// its use until the next full collection. In a profile of a busy consumer that was a third of everything allocated.

/** A member carries its own place; undefined while it is in no chain. */
export interface Chained<Member extends Chained<Member>> {
  chain?: Chain<Member>;
  before?: Member;
  after?: Member;
}

/** First in, first out; members also leave from the middle. A member is in one chain at a time. */
export class Chain<Member extends Chained<Member>> implements Iterable<Member> {
  private head: Member | undefined;
  private tail: Member | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get first(): Member | undefined {
    return this.head;
  }

  /** At the end; without effect when it is here already. */
  add(member: Member): void {
    if (member.chain === this) return;
    member.chain = this;
    member.before = this.tail;
    if (this.tail) this.tail.after = member;
    else this.head = member;
    this.tail = member;
    this.count++;
  }

  /** False when it is not here. */
  delete(member: Member): boolean {
    if (member.chain !== this) return false;
    const { before, after } = member;
    if (before) before.after = after;
    else this.head = after;
    if (after) after.before = before;
    else this.tail = before;
    // A member that is done must not keep its neighbours alive.
    member.chain = undefined;
    member.before = undefined;
    member.after = undefined;
    this.count--;
    return true;
  }

  clear(): void {
    for (const member of this) this.delete(member);
  }

  /** The member that was given last may be deleted meanwhile. */
  *[Symbol.iterator](): Iterator<Member> {
    for (let member = this.head; member;) {
      const { after }: Member = member;
      yield member;
      member = after;
    }
  }
}
