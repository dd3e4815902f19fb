// I10: whatever a topic accepted is in exactly one place for each of its groups.
import type { GroupStats, TopicStats } from '@millrace/core';

/** Where a message of a group can be; names as in the statistics. What a later feature adds belongs here. */
const PLACES = 'done skipped ready leased retrying parked dead purged expired dropped passed'.split(' ');
/** Left to do: must be nothing once the backlog has drained. */
const UNFINISHED = ['ready', 'leased', 'retrying', 'parked'] as const;

/** One sentence a leak. Of groups that began with the topic's first message. */
export function leaks(stats: TopicStats): string[] {
  const { topic, accepted, cancelled, scheduled, half, rolledBack, groups } = stats;
  // Accepted, and not or not yet any group's.
  const before = { cancelled, scheduled, half, rolledBack };
  const arrived = accepted - Object.values(before).reduce((total, count) => total + count);
  return groups.flatMap((group) => {
    const placed = sum(group, PLACES);
    // What a replay put back is there a second time.
    if (placed === arrived + group.replayed) return [];
    const places = PLACES.map((place) => `${sum(group, [place])} ${place}`).join(', ');
    const others = Object.entries(before).map(([state, count]) => `${count} ${state}`);
    const again = group.replayed > 0 ? ` and ${group.replayed} were put back` : '';
    return [
      `${topic}/${group.group}: ${arrived} arrived${again}, ${placed} accounted for (${places}); ` +
        `accepted ${accepted}, of those ${others.join(', ')}`,
    ];
  });
}

/** A half message waits for its producer's word: also something that is to end. */
export function unfinished({ scheduled, half, groups }: TopicStats): number {
  return groups.reduce((total, stats) => total + sum(stats, UNFINISHED), scheduled + half);
}

function sum(stats: GroupStats, places: readonly string[]): number {
  const figures = stats as unknown as Record<string, unknown>;
  return places.reduce((total, place) => total + (typeof figures[place] === 'number' ? figures[place] : 0), 0);
}
