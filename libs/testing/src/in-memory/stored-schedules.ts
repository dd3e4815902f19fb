// The recurring messages of a topic in memory: the same steps as the scripts order-schedule, plan-tick, mark-tick and
// settle-drop take on Redis.
import {
  DROP_WATCHED_MS,
  MOST_SCHEDULES,
  type CancelResult,
  type SchedulePause,
  type StoredRule,
  type StoredSchedule,
  type TickName,
} from '@millrace/core';

type Drop = StoredSchedule['drops'][number] & { readonly since: number };

interface Kept extends StoredSchedule {
  readonly content: string;
  readonly drops: readonly Drop[];
}

export class StoredSchedules {
  private readonly byName = new Map<string, Kept>();
  /** The latest one given. */
  private revision = 0;
  /** Undefined: there never was one. */
  since?: number;

  all(): StoredSchedule[] {
    return [...this.byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  present(name: string): Kept | undefined {
    const found = this.byName.get(name);
    return found?.removed ? undefined : found;
  }

  put(
    name: string,
    given: { rule: StoredRule; orderingKey: string; content: string },
    now: number,
  ): 'created' | 'changed' | 'unchanged' | 'full' {
    const { orderingKey, content } = given;
    // A copy: what is stored is text on a server.
    const rule = JSON.parse(JSON.stringify(given.rule)) as StoredRule;
    const kept = this.byName.get(name);
    const present = this.present(name);
    const isSame = JSON.stringify(present?.rule) === JSON.stringify(rule) && present?.orderingKey === orderingKey;
    if (isSame && present?.content === content) return 'unchanged';
    if (!kept && this.byName.size >= MOST_SCHEDULES) return 'full';
    this.since ??= now;
    const left = kept && dropTick(kept, now);
    const { pause, lastAt } = (present && left) ?? {};
    const next = { name, revision: ++this.revision, rule, orderingKey, content, from: now, pause, lastAt };
    this.byName.set(name, { ...next, drops: left?.drops ?? [], removed: false });
    return present ? 'changed' : 'created';
  }

  pause(name: string, order: Omit<SchedulePause, 'since'>, now: number): boolean {
    const present = this.present(name);
    if (present) this.byName.set(name, { ...dropTick(present, now), pause: { ...order, since: now }, from: now });
    return present !== undefined;
  }

  resume(name: string, now: number): boolean {
    const present = this.present(name);
    if (!present?.pause) return false;
    const from = Math.max(now, present.from);
    this.byName.set(name, { ...present, pause: undefined, from, revision: ++this.revision });
    return true;
  }

  remove(name: string, now: number): boolean {
    const present = this.present(name);
    if (!present) return false;
    this.keep({ ...dropTick(present, now), removed: true });
    return true;
  }

  plan(name: string, { revision, at, after }: TickName & { after: number }): { content: string } | 'sent' | undefined {
    const present = this.present(name);
    if (!present || present.pause || present.revision !== revision || present.drops.some(({ open }) => open))
      return undefined;
    const { tick, content } = present;
    if (tick?.at === at) return tick.sent ? 'sent' : { content };
    if ((tick?.at ?? present.from) !== after || at <= after) return undefined;
    this.byName.set(name, { ...present, tick: { at, sent: false }, lastAt: tick?.at ?? present.lastAt });
    return { content };
  }

  sent(name: string, { revision, at }: TickName): void {
    const kept = this.byName.get(name);
    if (kept?.revision === revision && kept.tick?.at === at)
      this.byName.set(name, { ...kept, tick: { at, sent: true } });
  }

  dropped(name: string, { revision, at }: TickName, answer: CancelResult, now: number): void {
    const kept = this.byName.get(name);
    const drop = kept?.drops.find((one) => one.revision === revision && one.at === at);
    if (!kept || !drop) return;
    const isWatched = answer !== 'already-delivered' && now < drop.since + DROP_WATCHED_MS;
    const rest = kept.drops.flatMap((one) => (one !== drop ? [one] : isWatched ? [{ ...drop, open: false }] : []));
    const counts = answer === 'already-delivered' && !kept.removed;
    this.keep({ ...kept, drops: rest, ...(counts && { from: Math.max(kept.from, at), lastAt: at }) });
  }

  private keep(kept: Kept): void {
    if (kept.removed && kept.drops.length === 0) this.byName.delete(kept.name);
    else this.byName.set(kept.name, kept);
  }
}

/** The tick that waits is not to be delivered any more. */
function dropTick(kept: Kept, now: number): Kept {
  const { tick, revision, orderingKey, drops } = kept;
  if (!tick) return kept;
  if (tick.at <= now) return { ...kept, tick: undefined, lastAt: tick.at };
  const drop = { revision, at: tick.at, orderingKey, open: true, since: now };
  return { ...kept, tick: undefined, drops: [...drops, drop] };
}
