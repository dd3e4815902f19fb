// How sizes of messages change the picture. A text above 4 KiB is compressed by Millrace, random bytes never are.
import { bothWays } from '../peers/both-ways.js';
import { payload, type PayloadKind } from '../peers/payload.js';
import { rabbitMqBothWays } from '../peers/rabbitmq.js';
import type { Bench, Part, Scenario } from '../scenario.js';

export const SIZES = [128, 512, 1_024, 10_240, 102_400];
export const KINDS: readonly PayloadKind[] = ['text', 'random'];
export const DIRECTIONS = ['enqueue', 'dequeue'] as const;
export const PEER = 'rabbitmq quorum';

// Fewer are sent in a fifth of a second, of which opening connections and compiling are a good part.
const MOST = 100_000;
const BYTES = 40_000_000;
const BYTES_IN_FLIGHT = 8_000_000;
const JUDGED_UP_TO = 1_024;
const BARS = { enqueue: 2, dequeue: 1.2 };

export const payloadId = (kind: PayloadKind, size: number, direction: (typeof DIRECTIONS)[number]): string =>
  `B14.${kind}.${size}.${direction}`;

const count = (size: number, { scale }: Bench): number =>
  Math.max(Math.round(Math.min(MOST, BYTES / size) * scale), 40);
const pace = (size: number) => ({ inFlight: Math.min(1_000, Math.floor(BYTES_IN_FLIGHT / size)) });

function sweep(kind: PayloadKind, size: number): Scenario {
  const { body, bytes } = payload(kind, size);
  const what = `${kind === 'text' ? 'text' : 'random bytes'} of ${size.toLocaleString('en-US')} B`;
  const parts = DIRECTIONS.map((direction): Part => ({
    id: payloadId(kind, size, direction),
    title: `${direction}, ${what}`,
    unit: 'msg/s',
    bars: size <= JUDGED_UP_TO ? { [PEER]: BARS[direction] } : {},
  }));
  return {
    id: `B14.${kind}.${size}`,
    title: `send() and listener, ${what}`,
    unit: 'msg/s',
    bars: {},
    parts,
    ours: (bench) => bothWays(bench, body, count(size, bench), pace(size)),
    theirs: [(bench) => rabbitMqBothWays(bench, bytes, count(size, bench), pace(size))],
  };
}

export const payloads: readonly Scenario[] = KINDS.flatMap((kind) => SIZES.map((size) => sweep(kind, size)));
