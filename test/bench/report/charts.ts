// The curves of a run: which of its figures belong to which picture.
import { DIRECTIONS, KINDS, payloadId, PEER, SIZES } from '../scenarios/b14-payload.js';
import { FEWER, GROUPS, groupsName } from '../scenarios/b10-groups.js';
import { MOST, SMALLER } from '../scenarios/b9-growth.js';
import type { Comparison } from '../verdict.js';
import { lineChart, type LineChart, type Series } from './line-chart.js';

export interface Picture {
  /** Name of the file in docs/benchmarks. */
  readonly file: string;
  readonly title: string;
  /** Undefined when the run has no figures for it: an older picture must not stay. */
  readonly svg?: string;
}

type Point = readonly [number, number];

export function pictures(rows: readonly Comparison[]): Picture[] {
  return [
    picture('backlog.svg', {
      title: 'What a message costs while so many others are stored',
      xLabel: 'other messages',
      yLabel: 'µs per message',
      logX: true,
      series: [
        { name: 'ready', points: costs(rows, 'B9.ready') },
        { name: 'delayed, falling due', points: costs(rows, 'B9.delayed') },
      ],
    }),
    picture('groups.svg', {
      title: 'Deliveries per second of all consumer groups on one topic',
      xLabel: 'consumer groups',
      yLabel: 'deliveries/s',
      series: [{ name: 'all groups together', points: groups(rows) }],
    }),
    picture('payload.svg', {
      title: 'Millrace against a RabbitMQ quorum queue by size of message',
      xLabel: 'bytes of content',
      yLabel: 'ours / theirs',
      logX: true,
      series: sweep(rows),
      mark: { y: 1, name: 'as fast as theirs' },
    }),
  ];
}

function picture(file: string, chart: LineChart): Picture {
  const { title, series } = chart;
  // One point is no curve.
  return { file, title, svg: series.some(({ points }) => points.length > 1) ? lineChart(chart) : undefined };
}

/** In µs. */
const cost = (perSecond: number): number => 1_000_000 / perSecond;

/** Rows of ours against smaller ones: ours is the last point of the curve, theirs are the others. */
function costs(rows: readonly Comparison[], scenario: string): Point[] {
  const smaller = SMALLER.flatMap(({ name, part }): Point[] => {
    const row = find(rows, scenario, name);
    return row?.theirs ? [[MOST / part, cost(row.theirs)]] : [];
  });
  const ours = find(rows, scenario)?.ours;
  return ours ? [...smaller, [MOST, cost(ours)]] : smaller;
}

function groups(rows: readonly Comparison[]): Point[] {
  const fewer = FEWER.flatMap((count): Point[] => {
    const row = find(rows, 'B10', groupsName(count));
    return row?.theirs ? [[count, row.theirs]] : [];
  });
  const ours = find(rows, 'B10')?.ours;
  return ours ? [...fewer, [GROUPS, ours]] : fewer;
}

function sweep(rows: readonly Comparison[]): Series[] {
  return KINDS.flatMap((kind) =>
    DIRECTIONS.map((direction) => ({
      name: `${direction}, ${kind === 'text' ? 'text' : 'random bytes'}`,
      points: SIZES.flatMap((size): Point[] => {
        const row = find(rows, payloadId(kind, size, direction), PEER);
        return row?.ratio ? [[size, row.ratio]] : [];
      }),
    })),
  );
}

function find(rows: readonly Comparison[], scenario: string, peer?: string): Comparison | undefined {
  return rows.find((row) => row.scenario === scenario && (peer === undefined || row.peer === peer));
}
