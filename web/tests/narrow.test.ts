import { expect, test } from "vitest";
import { strategyOf, toAlert, toLiveStatus, toPrice } from "@/api/narrow";

test("a status without a price yet has amounts that can be shown", () => {
  expect(toLiveStatus({ id: 1, status: "loading", equity: "", current_price: "" })).toMatchObject({ equity: "0", current_price: null });
});
test("a strategy that runs no more has no status", () => expect(toLiveStatus({ id: 1, status: "stopped" })).toBeNull());
test("the strategy of an event is found by any of its names", () => {
  expect([strategyOf({ instance: 3, id: 9 }), strategyOf({ strategy_id: 4 }), strategyOf({ id: "5" }), strategyOf(null)]).toEqual([3, 4, 5, undefined]);
});
test("what is not as agreed is passed over", () => {
  expect(toPrice({ exchange: "paper", symbol: "BTCUSDT", price: 5, time: "" })).toBeUndefined();
  expect(toAlert({ level: "error" })).toBeUndefined();
});
