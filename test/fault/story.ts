// The life of a message that something is wrong with, from all files: what whoever looks into a violation wants first.
import type { RecordedEvent } from './history/fault-event.js';

const MOST = 2;

/** One line for each of the first messages that the examples name (`lost: <producer>/<number> …`). */
export function stories(examples: readonly string[], history: Iterable<RecordedEvent>): string[] {
  const named = new Set(examples.flatMap((example) => /\b(\d+\/\d+)\b/.exec(example)?.[1] ?? []));
  const told = new Map([...named].slice(0, MOST).map((name) => [name, [] as string[]]));
  if (told.size === 0) return [];
  let startedAt: number | undefined;
  for (const { kind, at, producer, n, group, process, attempt, crashes, run } of history) {
    startedAt ??= at;
    const seconds = ((at - startedAt) / 1000).toFixed(3);
    if (kind === 'died') for (const story of told.values()) story.push(`${seconds} process ${run} died`);
    else if (kind === 'lease-lost')
      for (const story of told.values()) story.push(`${seconds} lease lost in ${process}`);
    const story = kind === 'died' || kind === 'lease-lost' ? undefined : told.get(`${producer}/${n}`);
    const counts = attempt > 0 ? ` group ${group} attempt ${attempt} crashes ${crashes}` : '';
    story?.push(`${seconds} ${kind} in ${process}${counts}`);
  }
  return [...told].map(([name, story]) => `${name}: ${story.join(' · ')}`);
}
