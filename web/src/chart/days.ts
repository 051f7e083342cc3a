/** The days of a strategy: what each has earned, as the node has added it up, and what the strategy was worth at its end. */
import type { EquityPoint, Pnl } from "@/api/types";

export interface Day {
  /** UTC, as results are counted. */
  day: string;
  realised: string;
  fees: string;
  trades: number;
  /** Of the last point of the day that is kept; nothing where none is. */
  equity?: string;
}

/** Oldest first. A day without a trade is one of its own when its worth is known. */
export function daysOf(days: Pnl["days"], points: readonly Pick<EquityPoint, "at" | "equity">[]): Day[] {
  const found = new Map<string, Day>(days.map((one) => [one.day, { ...one }]));
  for (const { at, equity } of points) {
    const day = new Date(at).toISOString().slice(0, 10);
    found.set(day, { realised: "0", fees: "0", trades: 0, ...found.get(day), day, equity });
  }
  return [...found.values()].sort((one, other) => (one.day < other.day ? -1 : 1));
}
