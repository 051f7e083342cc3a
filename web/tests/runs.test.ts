import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { curvesOf, nearest, shadesOf, ticksOf } from "@/chart/curve";
import { ASSUMPTIONS, assumptionFields, FUTURES, QUEUE, SEARCH, searchFields } from "@/forms/assumptions";
import type { Market } from "@/forms/assumptions";
import { fieldsOf } from "@/forms/schema";
import { given, sizeOf, valuesIn } from "@/forms/space";
import { marketOf, periodOf, stretchOf } from "@/forms/stretch";
import { differencesOf } from "@/format/differences";
import { formatFigure, intervalOf, lengthsFrom, namesOf, progressOf, symbolOf } from "@/format/run";

const description = JSON.parse(readFileSync(fileURLToPath(new URL("../openapi.json", import.meta.url)), "utf8")) as { components: { schemas: Record<string, object> } };
const told = (schema: string) => new Map(fieldsOf(description.components.schemas[schema] as Record<string, unknown>).map((one) => [one.name, one]));

test("the forms ask for every assumption and setting of a search as the node takes it", () => {
  const assumptions = told("Assumptions");
  // A futures account and a queue have forms of their own.
  expect([...ASSUMPTIONS.map((one) => one.name), "futures", "queue"].sort()).toEqual([...assumptions.keys()].sort());
  const search = told("OptimisationCreate");
  const [futures, queue] = [told("FuturesTerms"), told("QueueTerms")];
  expect([...FUTURES.map((one) => one.name), "tiers", "funding_rates"].sort()).toEqual([...futures.keys()].sort());
  expect(QUEUE.map((one) => one.name).sort()).toEqual([...queue.keys()].sort());
  for (const [fields, known] of [[ASSUMPTIONS, assumptions], [SEARCH, search], [FUTURES, futures], [QUEUE, queue]] as const) {
    for (const one of fields) {
      const { kind, choices, minimum, maximum, above, below, initial } = known.get(one.name)!;
      expect({ ...one, initial: String(one.initial) }).toMatchObject({ kind, choices, initial: String(initial) });
      expect([one.name, one.minimum, one.maximum, one.above, one.below]).toEqual([one.name, minimum, maximum, above, below]);
    }
  }
});

test("queues are offered where trades are walked, and ways to read bars are not", () => {
  const offered = (market: Market) => Object.fromEntries(assumptionFields(false, market).map(({ name, choices }) => [name, choices]));
  expect([offered("bars").fill_model, offered("bars").bar_model]).toEqual([["touch", "through"], ["path", "next_bar"]]);
  expect([offered("trades").fill_model, offered("trades").bar_model]).toEqual([["touch", "through", "queue"], undefined]);
  expect(assumptionFields(true, "bars").map(({ name }) => name)).not.toContain("base");
});

test("trades are walked as they are, or within bars made of them if that is wanted", () => {
  const [trades, hours, stretch] = [{ bar_ms: 1 }, { bar_ms: 3_600_000 }, stretchOf(3, undefined)];
  expect([marketOf(stretch, trades), marketOf(stretch, hours), marketOf(stretch, undefined)]).toEqual(["trades", "bars", "bars"]);
  const minutes = { ...stretch, barMs: 60_000 };
  expect([marketOf(minutes, trades), periodOf(minutes, 1)]).toEqual(["trades", { bar_ms: 60_000, walk_trades: true }]);
  const apart = { ...minutes, walk: false };
  expect([marketOf(apart, trades), periodOf(apart, 1)]).toEqual(["bars", { bar_ms: 60_000 }]);
  expect(stretchOf(3, { since: null, until: null, bar_ms: 60_000, walk_trades: false })).toEqual(apart);
});

test("a search asks for what its method and its validation look at", () => {
  const names = (values: object) => searchFields({ method: "exhaustive", validation: "none", ...values }).map((one) => one.name);
  expect(names({})).toEqual(["method", "validation"]);
  expect(names({ method: "tpe" })).toEqual(["method", "trials", "population", "seed", "validation"]);
  expect(names({ validation: "purged" })).toEqual(["method", "validation", "folds", "embargo_bars"]);
});

describe("a search space", () => {
  test.each([["5", 1], ["5, 10,20", 3], ["2:10:2", 5], ["0.1:0.5:0.1", 5], ["1:10:4", 3], ["arithmetic,geometric", 2]])("%s has %i values", (text, count) => expect(valuesIn(text)).toBe(count));
  test.each(["", "5,", "1:2", "2:1:1", "1:9:0", "a:b:c"])("%s cannot be read", (text) => expect(valuesIn(text)).toBeUndefined());
  test("has as many sets as its values make", () => {
    expect(sizeOf({ fast: "2:10:2", slow: "20,40" })).toBe(10);
    expect(sizeOf({ fast: "2:10", slow: "20,40" })).toBeUndefined();
    expect(given({ fast: " 5 ", slow: "" })).toEqual({ fast: "5" });
  });
});

test("days are sent with the last one in, and come back as they were", () => {
  const stretch = { history: 3, barMs: 3_600_000, from: "2025-05-05", to: "2025-05-09", walk: true };
  const period = periodOf(stretch, 60_000);
  expect(period).toEqual({ since: "2025-05-05T00:00:00Z", until: "2025-05-10T00:00:00.000Z", bar_ms: 3_600_000 });
  expect(stretchOf(3, { since: null, until: null, bar_ms: null, ...period })).toEqual(stretch);
  expect(periodOf({ history: 3, barMs: 60_000, from: "", to: "", walk: true }, 60_000)).toEqual({});
});

describe("figures", () => {
  test.each([["net", "-12.3456", "−12.34"], ["return_percent", 4.126, "4.13 %"], ["fills", 1234, "1,234"], ["sharpe", 2, "2.00"], ["profit_factor", null, "—"]] as const)(
    "%s %s is shown as %s", (name, value, text) => expect(formatFigure(name, value)).toBe(text),
  );
  test("that the page does not know stand with the trades", () => {
    expect(namesOf("trades", { fills: 1, novelty: "0.5", net: "1" })).toEqual(["fills", "novelty"]);
    expect(namesOf("risk", { fills: 1 })).toEqual([]);
  });
});

test("what is known of a run is told", () => {
  expect(progressOf({ done: 3, total: 12 })).toBe(0.25);
  expect(progressOf({ done: 0, total: 0 })).toBeUndefined();
  expect([intervalOf(3_600_000), intervalOf(7), symbolOf("BTC/USDT")]).toEqual(["1h", "7 ms", "BTCUSDT"]);
  expect(lengthsFrom(12 * 3_600_000).map(intervalOf)).toEqual(["12h", "1d", "3d", "1w"]);
});

test("only what differs is told to be different", () => {
  expect(differencesOf({ levels: 10, spacing: "geometric" }, { levels: "12", spacing: "geometric", stop: 1 })).toEqual([
    { name: "levels", values: ["10", "12"] }, { name: "stop", values: ["—", "1"] },
  ]);
});

describe("the curves", () => {
  const curves = curvesOf([[0, "100", "100", "0"], [10, "90", "110", "-10"], [20, "120", "105", "0"]]);
  test("span the time and reach from the lowest to the highest", () => {
    expect(curves.across).toEqual([0, 50, 100]);
    expect(curves.ticks.map((one) => one.value)).toEqual([120, 110, 100, 90]);
    expect(curves.equity).toBe("0.0,173.3 500.0,260.0 1000.0,0.0");
    expect(curves.deepest).toBe(-10);
  });
  test("have round ticks, also where nothing moves", () => {
    expect(ticksOf(9_981, 10_240).map((one) => one.value)).toEqual([10_300, 10_200, 10_100, 10_000, 9_900]);
    expect(ticksOf(100, 100).length).toBeGreaterThan(1);
  });
  test("give the nearest point", () => expect([nearest([0, 50, 100], 10), nearest([0, 50, 100], 30), nearest([0, 50, 100], 400)]).toEqual([0, 1, 2]));
});

test("a map is shaded from its worst to its best, and not where nothing was tried", () => {
  expect(shadesOf([[1, null], [3, 2]])).toEqual([[0, undefined], [1, 0.5]]);
});
