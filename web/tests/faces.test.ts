// @vitest-environment happy-dom
import { mount } from "@vue/test-utils";
import { describe, expect, test } from "vitest";
import { Problem } from "@/api/problem";
import AsyncFaces from "@/components/AsyncFaces.vue";
import PnlPanel from "@/views/strategy/parts/PnlPanel.vue";
import StrategyNotices from "@/views/strategy/parts/StrategyNotices.vue";
import { i18n } from "@/i18n";

const global = { plugins: [i18n] };
const slots = { default: "the data", empty: "nothing yet" };
const faces = (props: InstanceType<typeof AsyncFaces>["$props"]) => mount(AsyncFaces, { global, slots, props }).text();

describe("an asynchronous view", () => {
  test("shows that it loads", () => expect(faces({ loading: true, empty: true })).toBe("Loading…"));
  test("shows what there is", () => expect(faces({ loading: false, empty: false })).toBe("the data"));
  test("teaches when there is nothing", () => expect(faces({ loading: false, empty: true })).toBe("nothing yet"));
  test("says what was wrong and what to do next", () => {
    const error = new Problem(503, "database_down", "The database does not answer.", "Start it.", []);
    expect(faces({ loading: true, empty: true, error })).toContain("The database does not answer.Start it.database_down");
  });
  test("keeps showing what is known when a later request fails", () => {
    expect(faces({ loading: false, empty: false, error: new Problem(0, "unreachable", "", "", []) })).toBe("the data");
  });
});

const pnl = {
  currency: "USDT", capital: "1000", realised: "12.5", funding: "0", unrealised: "-2.25", fees: "0.25", other_fees: {}, equity: "1010", transfers: "0",
  position: "0.01", average_price: "64000", mark_price: "63775", trades: 3, adds_up: true, days: [],
};

describe("the result", () => {
  const shown = (changes = {}) => mount(PnlPanel, { global, props: { pnl: { ...pnl, ...changes }, equity: [], asset: "BTC", places: 2 } }).text();
  test("is a sum that ends at the equity, with the node's word on it", () => {
    expect(shown()).toMatch(/Capital1,000.0000\+Realised▲\+12.5000\+Unrealised▼−2.2500−Fees0.2500=Equity1,010.0000/);
    expect(shown()).toContain("to the last unit");
    expect(shown()).not.toContain("Funding");
    expect(shown({ funding: "-0.5" })).toMatch(/Funding in realised▼−0.5000/);
  });
  test("names transfers only where there were any", () => {
    expect(shown()).not.toContain("Transfers");
    expect(shown({ transfers: "-50" })).toContain("Transfers−50.0000");
  });
  test("warns when the node says that it does not add up", () => expect(shown({ adds_up: false })).toContain("Do not trust these figures"));
});

test("the reasons for holding back are told in words, each once", () => {
  const live = { held_back: "stale_price,stale_price,some_new_rule", last_error: "" };
  const text = mount(StrategyNotices, { global, props: { strategy: { live: live as never } } }).text();
  expect(text).toContain("The last price is too old to act on.");
  expect(text.match(/too old/g)).toHaveLength(1);
  expect(text).toContain("some new rule");
});
