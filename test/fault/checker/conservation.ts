// I10: whatever a topic accepted is in exactly one place for each of its groups.
import type { GroupStats, TopicStats } from '@millrace/core';

/** Where a message of a group can be; names as in the statistics. What a later feature adds belongs here. */
const PLACES = ['done', 'skipped', 'ready', 'leased', 'retrying', 'dead', 'parked', 'expired', 'dropped'] as const;
/** Left to do: must be nothing once the backlog has drained. */
const UNFINISHED = ['ready', 'leased', 'retrying', 'parked'] as const;

/** One sentence a leak. */
export function leaks({ topic, accepted, cancelled, scheduled, groups }: TopicStats): string[] {
  const arrived = accepted - cancelled - scheduled;
  return groups.flatMap((stats) => {
    const placed = sum(stats, PLACES);
    if (placed === arrived) return [];
    const places = PLACES.map((place) => `${sum(stats, [place])} ${place}`).join(', ');
    return [`${topic}/${stats.group}: ${arrived} arrived, ${placed} accounted for (${places})`];
  });
}

export function unfinished({ scheduled, groups }: TopicStats): number {
  return groups.reduce((total, stats) => total + sum(stats, UNFINISHED), scheduled);
}

function sum(stats: GroupStats, places: readonly string[]): number {
  const figures = stats as unknown as Record<string, unknown>;
  return places.reduce((total, place) => total + (typeof figures[place] === 'number' ? figures[place] : 0), 0);
}
