/** Bars for the chart. Here decimal strings become floats, because a pixel is no money. */
import type { KLineData, Period } from "klinecharts";
import type { Bar } from "@/api/types";

export const INTERVALS: Record<string, Period> = {
  "1s": { type: "second", span: 1 }, "1m": { type: "minute", span: 1 }, "3m": { type: "minute", span: 3 }, "5m": { type: "minute", span: 5 },
  "15m": { type: "minute", span: 15 }, "30m": { type: "minute", span: 30 }, "1h": { type: "hour", span: 1 },
  "2h": { type: "hour", span: 2 }, "4h": { type: "hour", span: 4 }, "6h": { type: "hour", span: 6 },
  "8h": { type: "hour", span: 8 }, "12h": { type: "hour", span: 12 }, "1d": { type: "day", span: 1 }, "3d": { type: "day", span: 3 },
  "1w": { type: "week", span: 1 },
};
const UNITS: Partial<Record<Period["type"], number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export function toPoint(bar: Bar): KLineData {
  return {
    timestamp: Date.parse(bar.open_time),
    open: Number(bar.open), high: Number(bar.high), low: Number(bar.low), close: Number(bar.close), volume: Number(bar.volume),
  };
}

/** The running bar after one more price; a new one when the price belongs to a later interval. */
export function withPrice(last: KLineData | undefined, price: string, time: string, interval: string): KLineData | undefined {
  const period = INTERVALS[interval] ?? INTERVALS["1m"]!;
  const width = period.span * (UNITS[period.type] ?? 60_000);
  const value = Number(price);
  const timestamp = Math.floor(Date.parse(time) / width) * width;
  if (!last || timestamp > last.timestamp) return { timestamp, open: value, high: value, low: value, close: value, volume: 0 };
  if (timestamp < last.timestamp) return undefined;
  return { ...last, high: Math.max(last.high, value), low: Math.min(last.low, value), close: value };
}
