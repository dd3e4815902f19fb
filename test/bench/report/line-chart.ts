// A small line chart as SVG text: a few series of a few points, readable on light and dark pages and without colours.
import { axisOf, type Axis } from './axis.js';

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Powers of ten at equal distances. @default false */
  readonly logX?: boolean;
  readonly series: readonly Series[];
  /** A line across at this value. */
  readonly mark?: { readonly y: number; readonly name: string };
}

const [WIDTH, HEIGHT] = [760, 440];
const PLOT = { left: 76, right: 736, top: 112, bottom: 378 };
/** About as wide as a character of 13 pixels gets. */
const CHARACTER = 7.5;
/** Told apart by their dashes and points, too. */
const DASHES = ['', '7 4', '2 4', '10 4 2 4'];
const STYLE = `
  .paper { fill: #ffffff; }
  .text { fill: #1f2328; font: 13px system-ui, sans-serif; }
  .title { font-size: 16px; font-weight: 600; }
  .small { font-size: 11px; }
  .grid { stroke: #d1d9e0; }
  .mark { stroke: #59636e; stroke-dasharray: 3 3; }
  .s0 { --c: #0550ae; }
  .s1 { --c: #bc4c00; }
  .s2 { --c: #1a7f37; }
  .s3 { --c: #8250df; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; }
    .text { fill: #e6edf3; }
    .grid { stroke: #30363d; }
    .mark { stroke: #9198a1; }
    .s0 { --c: #79c0ff; }
    .s1 { --c: #ffa657; }
    .s2 { --c: #7ee787; }
    .s3 { --c: #d2a8ff; }
  }
  .line { stroke: var(--c); stroke-width: 2; fill: none; }
  .point { fill: var(--c); }`;

/** @throws when there is nothing to draw: an empty chart would look like a result */
export function lineChart(chart: LineChart): string {
  const drawn = chart.series.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) throw new Error(`nothing to draw in "${chart.title}"`);
  if (drawn.length > DASHES.length) throw new Error(`more than ${DASHES.length} lines in "${chart.title}"`);
  const all = drawn.flatMap(({ points }) => points);
  const x = axisOf(
    all.map(([value]) => value),
    PLOT.left,
    PLOT.right,
    { log: chart.logX },
  );
  const highest = [...all.map(([, value]) => value), chart.mark?.y ?? 0];
  const y = axisOf(highest, PLOT.bottom, PLOT.top, { fromZero: true });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(chart.title)}">`,
    `<title>${escaped(chart.title)}</title>`,
    `<desc>${escaped(drawn.map(inWords).join(' '))}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    text(PLOT.left, 30, chart.title, 'title'),
    ...legend(drawn),
    ...gridOf(x, y),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 16, chart.xLabel, '', 'middle'),
    text(PLOT.left - 56, PLOT.top - 14, chart.yLabel, ''),
    ...(chart.mark ? marked(chart.mark, y) : []),
    ...drawn.flatMap((series, index) => lineOf(series, index, x, y)),
    ...valuesOf(drawn, x, y),
    '</svg>\n',
  ].join('\n');
}

/** In as many lines as it needs. */
function legend(series: readonly Series[]): string[] {
  let [left, top] = [PLOT.left, 54];
  return series.flatMap(({ name }, index) => {
    const width = 38 + CHARACTER * name.length;
    if (left + width > PLOT.right) [left, top] = [PLOT.left, top + 22];
    const x = left;
    left += width + 24;
    return [
      `<path class="line s${index}" stroke-dasharray="${DASHES[index]}" d="M${x} ${top - 4}h32"/>`,
      `<circle class="point s${index}" cx="${x + 16}" cy="${top - 4}" r="4"/>`,
      text(x + 38, top, name, ''),
    ];
  });
}

function gridOf(x: Axis, y: Axis): string[] {
  return [
    ...y.ticks.flatMap((value) => [
      `<path class="grid" d="M${PLOT.left} ${y.at(value)}H${PLOT.right}"/>`,
      text(PLOT.left - 8, y.at(value) + 4, figure(value), '', 'end'),
    ]),
    ...x.ticks.flatMap((value) => [
      `<path class="grid" d="M${x.at(value)} ${PLOT.bottom}v6"/>`,
      text(x.at(value), PLOT.bottom + 22, figure(value), '', 'middle'),
    ]),
  ];
}

function marked({ y, name }: { y: number; name: string }, axis: Axis): string[] {
  return [
    `<path class="mark" d="M${PLOT.left} ${axis.at(y)}H${PLOT.right}"/>`,
    text(PLOT.right, axis.at(y) - 5, name, 'small', 'end'),
  ];
}

function lineOf({ points }: Series, index: number, x: Axis, y: Axis): string[] {
  const places = points.toSorted(([a], [b]) => a - b).map(([px, py]) => ({ at: x.at(px), height: y.at(py) }));
  return [
    `<path class="line s${index}" stroke-dasharray="${DASHES[index]}" d="M${places.map(({ at, height }) => `${at} ${height}`).join('L')}"/>`,
    ...places.map(({ at, height }) => `<circle class="point s${index}" cx="${at}" cy="${height}" r="4"/>`),
  ];
}

/** Values above their points, else below them; where both places are taken the text beside the picture has to do. */
function valuesOf(series: readonly Series[], x: Axis, y: Axis): string[] {
  const taken: { at: number; height: number }[] = [];
  return series.flatMap(({ points }) =>
    points.flatMap(([px, py]) => {
      const at = x.at(px);
      const isFree = (height: number): boolean =>
        taken.every((other) => Math.abs(other.at - at) > 36 || Math.abs(other.height - height) > 12);
      const height = [y.at(py) - 9, y.at(py) + 17].find(isFree);
      if (height === undefined) return [];
      taken.push({ at, height });
      return [text(at, height, figure(py), 'small', 'middle')];
    }),
  );
}

function inWords({ name, points }: Series): string {
  return `${name}: ${points.map(([x, y]) => `${figure(y)} at ${figure(x)}`).join(', ')}.`;
}

function text(x: number, y: number, content: string, kind: string, anchor = 'start'): string {
  const classes = kind === '' ? 'text' : `text ${kind}`;
  return `<text class="${classes}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

/** Three digits are enough to read from a picture. */
function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: value >= 1000 ? 6 : 3 });
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
