// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { toPoint, withPrice } from "@/chart/bars";
import { daysOf } from "@/chart/days";
import { nearestBounds } from "@/chart/orders";

const bar = toPoint({ open_time: "2026-11-28T12:00:00Z", open: "10", high: "12", low: "9", close: "11", volume: "3" });

describe("the running bar", () => {
  test("follows the price within its interval", () => {
    expect(withPrice(bar, "13", "2026-11-28T12:00:59Z", "1m")).toMatchObject({ open: 10, high: 13, low: 9, close: 13 });
  });
  test("gives way to a new one when the interval ends", () => {
    expect(withPrice(bar, "13", "2026-11-28T12:01:00Z", "1m")).toMatchObject({ timestamp: bar.timestamp + 60_000, open: 13, close: 13 });
  });
  test("is not touched by a price of the past", () => expect(withPrice(bar, "1", "2026-11-28T11:59:59Z", "1m")).toBeUndefined());
});

test("the levels next to the price are in view, the far ones need not be", () => {
  const levels = [1, 2, 3, 4, 5, 6].flatMap((step) => [
    { side: "buy", price: String(100 - step) },
    { side: "sell", price: String(100 + step) },
  ]);
  expect(nearestBounds(levels)).toEqual({ minValue: 96, maxValue: 104 });
  expect(nearestBounds([])).toEqual({ minValue: null, maxValue: null });
});

test("a day has what it earned, and what the strategy was worth at its end", () => {
  const days = [{ day: "2026-11-28", realised: "3", fees: "0.1", trades: 2 }, { day: "2026-11-26", realised: "-1", fees: "0.1", trades: 1 }];
  const points = [{ at: "2026-11-27T23:59:00Z", equity: "999" }, { at: "2026-11-28T10:00:00Z", equity: "1001" }, { at: "2026-11-28T23:00:00Z", equity: "1002" }];
  expect(daysOf(days, points)).toEqual([
    { day: "2026-11-26", realised: "-1", fees: "0.1", trades: 1 },
    { day: "2026-11-27", realised: "0", fees: "0", trades: 0, equity: "999" },
    { day: "2026-11-28", realised: "3", fees: "0.1", trades: 2, equity: "1002" },
  ]);
});
