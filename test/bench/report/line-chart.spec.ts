import { describe, expect, it } from '@jest/globals';
import { lineChart, type LineChart } from './line-chart.js';

const chart: LineChart = {
  title: 'Cost & backlog',
  xLabel: 'messages',
  yLabel: 'µs',
  logX: true,
  series: [
    {
      name: 'ready',
      points: [
        [1_000_000, 8],
        [1_000, 7.5],
      ],
    },
    { name: 'delayed', points: [[1_000, 20]] },
  ],
};

/** Every element closed in order, every attribute quoted: what a browser needs to draw a file at all. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, closing, name, rest] of svg.matchAll(/<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*\s*\/?)>/g)) {
    if (closing && open.at(-1) === name) open.pop();
    else if (!rest!.endsWith('/')) open.push(name!);
  }
  // What is closed out of order stays.
  expect(open).toEqual([]);
  const texts = svg.replaceAll(/<\/?[a-z]+(?:\s+[\w:-]+="[^"<]*")*\s*\/?>/g, '');
  expect(texts).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
}

describe('a line chart', () => {
  it('is a well-formed picture that says in words what it shows', () => {
    const svg = lineChart(chart);
    expectWellFormed(svg);
    expect(svg).toContain('<title>Cost &amp; backlog</title>');
    expect(svg).toContain('<desc>ready: 8 at 1,000,000, 7.5 at 1,000. delayed: 20 at 1,000.</desc>');
  });

  it('joins the points of a series from left to right', () => {
    const [, path] = /class="line s0"[^>]* d="(M76 [^"]*L736 [^"]*)"/.exec(lineChart(chart)) ?? [];
    expect(path).toMatch(/^M76 \S+L736 \S+$/);
  });

  it('writes each value beside its point', () => {
    const svg = lineChart(chart);
    for (const value of ['>7.5<', '>8<', '>20<']) expect(svg).toContain(value);
  });

  it('has colours for dark pages, a background of its own, and lines told apart without colours', () => {
    const svg = lineChart(chart);
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
    expect(svg).toContain('class="paper"');
    const dashes = [...svg.matchAll(/class="line s\d" stroke-dasharray="([^"]*)" d="M76/g)].map(([, dash]) => dash);
    expect(new Set(dashes).size).toBe(2);
  });

  it('draws a mark inside of the picture even when all values lie below it', () => {
    const svg = lineChart({ ...chart, mark: { y: 50, name: 'the bar' } });
    expectWellFormed(svg);
    const [, y] = /class="mark" d="M76 ([\d.]+)H736"/.exec(svg) ?? [];
    expect(Number(y)).toBeGreaterThanOrEqual(112);
    expect(svg).toContain('the bar');
  });

  it('writes no value over another one', () => {
    const same = { ...chart.series[0]!, name: 'the same' };
    const svg = lineChart({ ...chart, series: [same, same, same] });
    const places = [...svg.matchAll(/class="text small" x="([\d.]+)" y="([\d.]+)"/g)].map(([, x, y]) => `${x} ${y}`);
    expect(places).toHaveLength(4);
    expect(new Set(places).size).toBe(4);
  });

  it('breaks a long legend into lines that end inside of the picture', () => {
    const names = ['enqueue, text', 'dequeue, text', 'enqueue, random bytes', 'dequeue, random bytes'];
    const svg = lineChart({ ...chart, series: names.map((name) => ({ ...chart.series[0]!, name })) });
    for (const name of names) {
      const [, x] =
        new RegExp(`<text class="text" x="([\\d.]+)" y="\\d+" text-anchor="start">${name}<`).exec(svg) ?? [];
      expect(Number(x) + 7 * name.length).toBeLessThan(760);
    }
  });

  it('refuses to draw nothing, or more lines than can be told apart', () => {
    expect(() => lineChart({ ...chart, series: [{ name: 'empty', points: [] }] })).toThrow('nothing to draw');
    const many = Array.from({ length: 5 }, () => chart.series[0]!);
    expect(() => lineChart({ ...chart, series: many })).toThrow('more than 4 lines');
  });
});
