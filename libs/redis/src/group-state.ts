// The state of a group as the scripts give it, and as core wants it.
import {
  MEMBER_LIVES_MS,
  type GroupMember,
  type GroupState,
  type PauseInForce,
  type StoredLimits,
} from '@millrace/core';

export type StateReply = [
  now: string,
  members: string[],
  tags: string[],
  topicPause: string,
  groupPause: string,
  limits: string,
];

/** A pause as it is stored: instants in Unix ms of the server. */
export interface StoredPause {
  readonly by: string;
  readonly why: string;
  readonly since: number;
  readonly until?: number;
}

export function groupState([nowText, signs, tags, topicPause, groupPause, limits]: StateReply): GroupState {
  const now = Number(nowText);
  const pauses = [pauseOf('topic', topicPause, now), pauseOf('group', groupPause, now)];
  return {
    members: members(signs, now),
    tags: tags.toSorted(),
    pauses: pauses.filter((pause) => pause !== undefined),
    limits: limits === '' ? {} : (JSON.parse(limits) as StoredLimits),
  };
}

/** Name and sign of life in turn; a sign reads `<server ms> <tags, JSON>`. */
function members(signs: readonly string[], now: number): GroupMember[] {
  const found: GroupMember[] = [];
  for (let at = 0; at < signs.length; at += 2) {
    const sign = signs[at + 1]!;
    const space = sign.indexOf(' ');
    if (now - Number(sign.slice(0, space)) > MEMBER_LIVES_MS) continue;
    found.push({ name: signs[at]!, tags: JSON.parse(sign.slice(space + 1)) as string[] });
  }
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function pauseOf(scope: PauseInForce['scope'], text: string, now: number): PauseInForce | undefined {
  if (text === '') return undefined;
  const { by, why, since, until } = JSON.parse(text) as StoredPause;
  const end = until === undefined ? {} : { until: new Date(until), leftMs: until - now };
  return { scope, by, why, since: new Date(since), ...end };
}
