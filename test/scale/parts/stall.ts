import type { Claim } from '../claim.js';
import type { Ground } from '../ground.js';

export const LONGEST_STALL_MS = 20;

/** The server answers a ping every millisecond while `work` goes on. `beside` is asked for afterwards. */
export async function stallDuring(
  ground: Ground,
  what: string,
  work: () => Promise<void>,
  beside: () => Readonly<Record<string, number | string>> = () => ({}),
): Promise<Claim> {
  const started = performance.now();
  const { stallMs, worstMs, pings } = await ground.probed(work);
  if (pings === 0) throw new Error('the server answered no ping');
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  ground.say(`${what}: ${seconds} s`);
  return {
    what: `longest stall of the server during ${what}`,
    measured: stallMs,
    limit: LONGEST_STALL_MS,
    unit: 'ms',
    beside: { ...beside(), 'worst ping ms, with waiting for a processor': worstMs, pings, seconds },
  };
}
