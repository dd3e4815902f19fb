import { expect } from '@jest/globals';
import type { Delivery } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';
import { bodies, FAILED_TWICE } from './outgoing.js';
import type { Scene } from './scene.js';

/** Enough for several of the blocks in which a server may trim. */
const STEPS = 120;
const NOTHING_KEPT = { retention: 0, retentionCount: 0, retentionBytes: 0, queues: 2 } as const;

/** A group as a random run sees it: what it still has to get, and what it holds. */
interface Reader {
  readonly member: Member;
  readonly unfinished: Set<string>;
  held: Delivery[];
}

export function trimPropertyCases({ promise, scene }: ContractKit): void {
  for (const seed of [1, 2, 3]) {
    promise(
      `I11: whatever happens, a trim never removes what a declared group has not finished (seed ${seed})`,
      async () => {
        const stage = await scene(NOTHING_KEPT);
        const random = generator(seed);
        const readers = [await join(stage, 'a'), await join(stage, 'b')];
        let [sent, trimmed] = [0, 0];
        for (let step = 0; step < STEPS; step++) {
          const reader = readers[Math.floor(random() * readers.length)]!;
          const dice = random();
          if (dice < 0.3) {
            const batch = Array.from({ length: 1 + Math.floor(random() * 80) }, () => `${sent++}`);
            await stage.send(...batch);
            for (const { unfinished } of readers) for (const body of batch) unfinished.add(body);
          } else if (dice < 0.5) {
            reader.held.push(...(await reader.member.receive({ max: 1 + Math.floor(random() * 60) })));
          } else if (dice < 0.8) {
            await settleSome(reader, random);
          } else if (dice < 0.82 && readers.length < 4) {
            readers.push(await join(stage, `late-${step}`, 'last'));
          } else {
            await stage.subject.advance(1);
            trimmed += await stage.ports.broker.trim(stage.topic);
          }
        }
        // Everything settled by one reader and then trimmed: the others must not notice.
        for (const reader of readers) {
          await stage.ports.broker.trim(stage.topic);
          await expectAllUnfinished(reader);
          await reader.member.ack(...reader.held);
        }
        await stage.subject.advance(2);
        trimmed += await stage.ports.broker.trim(stage.topic);
        expect(sent).toBeGreaterThan(200);
        expect(trimmed).toBeGreaterThan(0);
      },
    );
  }
}

async function join(stage: Scene, group: string, startFrom: 'first' | 'last' = 'first'): Promise<Reader> {
  return { member: await stage.member(group, { startFrom, leaseMs: 300 }), unfinished: new Set(), held: [] };
}

/** Ends some of what is held, each in one of the ways there are. */
async function settleSome(reader: Reader, random: () => number): Promise<void> {
  const leaving = reader.held.filter(() => random() < 0.7);
  reader.held = reader.held.filter((delivery) => !leaving.includes(delivery));
  for (const delivery of leaving) {
    const dice = random();
    if (dice < 0.8) await reader.member.ack(delivery);
    else if (dice < 0.9) await reader.member.settle([delivery], { type: 'retry', delayMs: 0, state: FAILED_TWICE });
    else if (dice < 0.95) await reader.member.settle([delivery], { type: 'release', delayMs: 0 });
    else await reader.member.settle([delivery], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
    if (dice < 0.8 || dice >= 0.95) reader.unfinished.delete(delivery.message.body.toString());
  }
}

async function expectAllUnfinished(reader: Reader): Promise<void> {
  reader.held.push(...(await reader.member.drain()));
  expect(bodies(reader.held).toSorted()).toEqual([...reader.unfinished].toSorted());
  // What is leased is still in the store too: somebody else can take it over.
  await reader.member.expireLeases();
  const taken = await reader.member.reclaim(Math.ceil(reader.held.length / 100) * 3 + 3);
  expect(new Set(bodies(taken))).toEqual(reader.unfinished);
  reader.held = [...new Map(taken.map((delivery) => [delivery.message.messageId, delivery])).values()];
}

/** mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
