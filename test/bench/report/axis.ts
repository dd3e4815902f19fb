// From values to places on paper, with round numbers to write beside them.
export interface Axis {
  readonly ticks: readonly number[];
  /** Place of a value, to a tenth of a pixel. */
  at(value: number): number;
}

export interface AxisOptions {
  /** Powers of ten at equal distances; all values must be above zero. */
  readonly log?: boolean;
  /** Without it a small difference would look like a large one. */
  readonly fromZero?: boolean;
}

const TICKS = 5;

export function axisOf(values: readonly number[], first: number, last: number, options: AxisOptions = {}): Axis {
  const { log = false, fromZero = false } = options;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (!Number.isFinite(least) || !Number.isFinite(most)) throw new Error('an axis needs finite values');
  if (log && least <= 0) throw new Error('a logarithmic axis needs values above zero');
  const ticks = log ? powersOfTen(least, most) : roundNumbers(fromZero ? Math.min(0, least) : least, most);
  const scale = log ? Math.log10 : (value: number): number => value;
  // The axis ends at its outer ticks, or at the values where these go further.
  const [from, to] = [scale(Math.min(least, ticks[0]!)), scale(Math.max(most, ticks.at(-1)!))];
  const at = (value: number): number => {
    const share = to === from ? 0.5 : (scale(value) - from) / (to - from);
    return Math.round((first + share * (last - first)) * 10) / 10;
  };
  return { ticks, at };
}

function powersOfTen(least: number, most: number): number[] {
  const [from, to] = [Math.floor(Math.log10(least) + 1e-9), Math.ceil(Math.log10(most) - 1e-9)];
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
}

/** Steps of 1, 2 or 5 times a power of ten, about five of them, from at most the least to at least the most value. */
function roundNumbers(least: number, most: number): number[] {
  const rough = (most - least) / TICKS || Math.abs(most) || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * (1 - 1e-9))!;
  const [from, to] = [Math.floor(least / step + 1e-9), Math.ceil(most / step - 1e-9)];
  return Array.from({ length: to - from + 1 }, (_, index) => Number(((from + index) * step).toPrecision(12)));
}
