import { describe, expect, it } from '@jest/globals';
import { atRest, type Snapshot, watch } from './snapshot.js';

const quiet: Snapshot = {
  decided: 5,
  pending: 0,
  paid: 3,
  cancelled: 1,
  shipped: 3,
  notified: 2,
  outbox: 0,
  scheduled: 0,
  ready: 0,
  leased: 0,
  retrying: 0,
  dead: 1,
};
const never = new AbortController().signal;

describe('knowing when the shop has come to rest', () => {
  it('is at rest when nothing more happens by itself; dead letters wait for a person', () => {
    expect(atRest(quiet)).toBe(true);
  });

  it.each(['pending', 'outbox', 'scheduled', 'ready', 'leased', 'retrying'] as const)(
    'is not at rest with one %s',
    (what) => {
      expect(atRest({ ...quiet, [what]: 1 })).toBe(false);
    },
  );

  it('looks until the condition holds', async () => {
    let pending = 2;
    const look = async (): Promise<Snapshot> => ({ ...quiet, pending: pending-- });
    expect(await watch({ look, until: atRest, stallMs: 60_000, signal: never })).toBe(true);
    expect(pending).toBe(-1);
  });

  it('gives up when nothing has changed for too long', async () => {
    const busy = { ...quiet, pending: 1 };
    expect(await watch({ look: async () => busy, until: atRest, stallMs: 0, signal: never })).toBe(false);
  });

  it('rejects with the reason when it is aborted', async () => {
    const reason = new Error('stopped');
    const watching = watch({ look: async () => quiet, until: atRest, stallMs: 0, signal: AbortSignal.abort(reason) });
    await expect(watching).rejects.toBe(reason);
  });
});
