/** Places of a backtest's curves on the screen. Floats here are only places. */
import type { Point } from "@/api/runs";

export const WIDTH = 1_000;
export const HEIGHT = 260;
export const DEPTH = 90;

export interface Tick {
  /** Percent from the top. */
  at: number;
  value: number;
}
export interface Curves {
  equity: string;
  hold: string;
  /** A closed area that hangs from the high. */
  fall: string;
  ticks: Tick[];
  deepest: number;
  /** Percent from the left, of each point. */
  across: number[];
}

export function curvesOf(points: readonly Point[]): Curves {
  const equity = points.map(([, value]) => Number(value));
  const hold = points.map(([, , value]) => Number(value));
  const falls = points.map(([, , , value]) => Number(value));
  const [first, last] = [points[0]![0], points.at(-1)![0]];
  const x = points.map(([time]) => ((time - first) / (last - first || 1)) * WIDTH);
  const ticks = ticksOf(Math.min(...equity, ...hold), Math.max(...equity, ...hold));
  const [low, high] = [ticks.at(-1)!.value, ticks[0]!.value];
  const down = (value: number) => ((high - value) / (high - low || 1)) * HEIGHT;
  const deepest = Math.min(...falls, 0);
  const line = (values: number[], y: (value: number) => number) => values.map((value, at) => `${x[at]!.toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const under = line(falls, (value) => (value / (deepest || 1)) * (DEPTH - 4) * (deepest ? 1 : 0));
  return { equity: line(equity, down), hold: line(hold, down), fall: `0,0 ${under} ${WIDTH},0`, ticks, deepest, across: x.map((place) => (place / WIDTH) * 100) };
}

/** Round values that span from the lowest to the highest, the highest first. */
export function ticksOf(low: number, high: number, count = 4): Tick[] {
  const rough = (high - low || Math.abs(high) * 0.01 || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough)!;
  const [bottom, top] = [Math.floor(low / step + 1e-9), Math.max(Math.ceil(high / step - 1e-9), Math.floor(low / step + 1e-9) + 1)];
  return Array.from({ length: top - bottom + 1 }, (_, at) => ({ at: (at / (top - bottom)) * 100, value: (top - at) * step }));
}

/** The point whose place is nearest to a share of the width. */
export function nearest(across: readonly number[], percent: number): number {
  const right = across.findIndex((place) => place >= percent);
  if (right < 0) return across.length - 1;
  return right > 0 && percent - across[right - 1]! < across[right]! - percent ? right - 1 : right;
}

/** How strongly each cell of a map is coloured, from 0 to 1; undefined where nothing was tried. */
export function shadesOf(cells: readonly (readonly (number | null)[])[]): (number | undefined)[][] {
  const known = cells.flat().filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return cells.map((row) => row.map((value) => (value === null ? undefined : high > low ? (value - low) / (high - low) : 0.5)));
}
