/** Places of a calibration curve on a square screen. Chances are numbers, not amounts. */

export const SIZE = 200;

export interface Seen {
  count: number;
  predicted: number;
  won: number;
}
export interface Dot {
  x: number;
  y: number;
  radius: number;
}

/** One dot for each bin: predicted to the right, won upwards, the larger the more was seen. */
export function dotsOf(bins: readonly Seen[]): Dot[] {
  const most = Math.max(1, ...bins.map((one) => one.count));
  return bins.map((one) => ({ x: one.predicted * SIZE, y: (1 - one.won) * SIZE, radius: 3 + 5 * Math.sqrt(one.count / most) }));
}

export const lineOf = (dots: readonly Dot[]): string => dots.map((one) => `${one.x.toFixed(1)},${one.y.toFixed(1)}`).join(" ");
