// @vitest-environment happy-dom
import { mount } from "@vue/test-utils";
import { expect, test } from "vitest";
import type { Pnl } from "@/api/types";
import type { LiveStrategy } from "@/composables/useLiveStrategies";
import { i18n } from "@/i18n";
import { router } from "@/router";
import StrategyTable from "@/views/strategies/parts/StrategyTable.vue";

const stopped = { id: 4, name: "Old grid", symbol: "BTCUSDT", strategy_type: "grid", feed: "binance_spot", paper: true, desired_state: "stopped", live: null, price: null, quote_asset: "USDT" } as unknown as LiveStrategy;
const show = (endings: [number, Partial<Pnl>][]) =>
  mount(StrategyTable, { props: { rows: [stopped], endings: new Map(endings) as ReadonlyMap<number, Pnl>, busy: new Set<number>(), mayTrade: false }, global: { plugins: [i18n, router] } }).text();

test("what a stopped strategy has come to stands in the list", () => {
  expect(show([[4, { equity: "1012.5", realised: "12.5", unrealised: "-0.25", trades: 8 }]])).toMatch(/1,012.50.*USDT.*\+12.50.*−0.25/);
});

test("one that never traded has come to nothing yet", () => {
  expect(show([[4, { equity: "1000", realised: "0", unrealised: "0", trades: 0 }]])).not.toContain("1,000");
  expect(show([])).not.toMatch(/USDT.*0\.00/);
});
