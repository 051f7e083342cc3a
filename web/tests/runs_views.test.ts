// @vitest-environment happy-dom
import { PiniaColada, useQueryCache } from "@pinia/colada";
import { flushPromises, mount } from "@vue/test-utils";
import { createPinia } from "pinia";
import { expect, test } from "vitest";
import type { App, Component } from "vue";
import type { AccountJob, Best, OptimisationResult } from "@/api/runs";
import type { History, RunDetail, StrategyKind } from "@/api/types";
import CurveChart from "@/chart/CurveChart.vue";
import HeatMap from "@/chart/HeatMap.vue";
import JobPanel from "@/components/JobPanel.vue";
import RunState from "@/components/RunState.vue";
import BacktestForm from "@/forms/BacktestForm.vue";
import { accountDraftOf } from "@/forms/drafts";
import { i18n } from "@/i18n";
import { learnTitles } from "@/i18n/words";
import { router } from "@/router";
import CompareTable from "@/components/CompareTable.vue";
import LuckPanel from "@/views/optimisation/parts/LuckPanel.vue";
import RankingTable from "@/views/optimisation/parts/RankingTable.vue";
import AccountForm from "@/views/research/parts/AccountForm.vue";
import OptimisationForm from "@/views/research/parts/OptimisationForm.vue";
import CreateStrategy from "@/views/strategies/parts/CreateStrategy.vue";
import InstanceTable from "@/views/together/parts/InstanceTable.vue";

const kind = {
  name: "grid", title: "Range grid", summary: "", reasons: [],
  schema: { properties: { levels: { type: "integer", title: "Levels", minimum: 2 }, spacing: { enum: ["arithmetic", "geometric"], default: "geometric", title: "Spacing" } }, required: ["levels"] },
} as unknown as StrategyKind;
const history = { id: 4, name: "hours", symbol: "BTC/USDT", bar_ms: 3_600_000, bars: 900, gaps: 0, first_at: "2025-05-04T15:00:00Z", last_at: "2025-06-03T15:00:00Z" } as unknown as History;
const session = { user: { id: 1, login: "one", display_name: "", role: "trader" }, time_zone: "UTC", kill: { on: false } };
const known = { install: (app: App) => app.runWithContext(() => useQueryCache().setQueryData(["session"], session)) };
const stubs = { ElDialog: { template: "<div><slot /></div>" }, ElSelect: true, ElOption: true };
const show = (part: Component, props: object, attachTo?: HTMLElement) => mount(part, { props, attachTo, global: { plugins: [i18n, router, createPinia(), PiniaColada, known], stubs } });
const luck = { trials: 9, periods: 30, sharpe: 0.1, expected_by_luck: 0.2, deflated_sharpe: 0.31, overfitting: 0.62, verdict: "luck" } as const;
const best: Best = { number: 2, params: { levels: "12", spacing: "geometric" }, values: { net: "5.5", sharpe: 1.25 }, luck, plateau: 0.4 };

test("a backtest is asked for with the bars, the parameters and the fees that were written, and not before they are good", async () => {
  const form = show(BacktestForm, { modelValue: true, kinds: [kind], histories: [history], problem: null, busy: false });
  await form.find("form").trigger("submit");
  expect([form.emitted("save"), form.text().includes("Needed.")]).toEqual([undefined, true]);
  await form.find("#grid-levels").setValue("10");
  await form.find("#run-from").setValue("2025-05-10");
  await form.find("#assumptions-maker_fee").setValue("0.05");
  await form.find("form").trigger("submit");
  expect(form.emitted("save")![0]![0]).toMatchObject({
    history_id: 4, strategy: "grid", params: { levels: 10, spacing: "geometric" }, period: { since: "2025-05-10T00:00:00Z" }, assumptions: { maker_fee: "0.05", quote: "10000" },
  });
});

test("a form that cannot be sent goes to what is wrong first", async () => {
  const form = show(BacktestForm, { modelValue: true, kinds: [kind], histories: [history], problem: null, busy: false }, document.body);
  await form.find("form").trigger("submit");
  await flushPromises();
  expect(document.activeElement?.id).toBe("grid-levels");
  await form.find("#grid-levels").setValue("10");
  await form.find("form").trigger("submit");
  await form.setProps({ problem: { message: "", errors: [{ field: "assumptions.maker_fee", reason: "too high" }] } });
  await flushPromises();
  expect(document.activeElement?.id).toBe("assumptions-maker_fee");
  form.unmount();
});

test("parameters are called as their strategies call them", () => {
  learnTitles([{ ...kind, name: "novel" }]);
  const run = { history: "hours", stamp: {} } as unknown as RunDetail;
  const text = show(JobPanel, { job: { strategy: "novel", params: { levels: 5, other_one: true }, assumptions: {} }, run, result: null }).text();
  expect(text).toMatch(/Levels5.*other oneYes/);
});

test("terms of futures are asked for when they are wanted, checked, sent, and handed on to the next run", async () => {
  const draft = { kind: "grid", parameters: { levels: 5 }, assumptions: { base: "1", futures: { leverage: 3, funding_rates: [{ time_ms: 1, rate: "0.1" }] } } };
  const form = show(BacktestForm, { modelValue: true, kinds: [kind], histories: [history], draft, problem: null, busy: false });
  await flushPromises();
  await form.find("#futures-leverage").setValue("126");
  await form.find("form").trigger("submit");
  expect(form.emitted("save")).toBeUndefined();
  await form.find("#futures-leverage").setValue("10");
  await form.find("form").trigger("submit");
  const sent = form.emitted("save")![0]![0] as { assumptions: Record<string, unknown> };
  expect(sent.assumptions.futures).toMatchObject({ leverage: 10, maintenance_percent: "0.4", funding_rates: [{ time_ms: 1, rate: "0.1" }] });
  expect(sent.assumptions).not.toHaveProperty("base");
  const spot = show(BacktestForm, { modelValue: true, kinds: [kind], histories: [history], draft: { ...draft, assumptions: {} }, problem: null, busy: false });
  expect(spot.find("#futures-leverage").exists()).toBe(false);
  spot.findComponent({ name: "ElSwitch" }).vm.$emit("update:modelValue", true);
  await flushPromises();
  expect(spot.find("#futures-leverage").exists()).toBe(true);
});

test("on trades an order may wait in a queue, whose terms are asked for, checked, sent and handed on; on bars it may not", async () => {
  const trades = { ...history, id: 5, name: "trades", bar_ms: 1 };
  const draft = { kind: "grid", history: 5, parameters: { levels: 5 }, assumptions: { fill_model: "queue", bar_model: "next_bar", queue: { ahead: "0.5" } } };
  const form = show(BacktestForm, { modelValue: true, kinds: [kind], histories: [history, trades], draft, problem: null, busy: false });
  await flushPromises();
  await form.find("#queue-ahead").setValue("-1");
  await form.find("form").trigger("submit");
  expect(form.emitted("save")).toBeUndefined();
  await form.find("#queue-ahead").setValue("0.25");
  await form.find("#queue-share_percent").setValue("20");
  await form.find("form").trigger("submit");
  const sent = form.emitted("save")![0]![0] as { assumptions: Record<string, unknown> };
  expect(sent.assumptions).toMatchObject({ fill_model: "queue", queue: { ahead: "0.25", share_percent: "20", share_ms: 60_000, cancelled_percent: "0" } });
  expect(sent.assumptions).not.toHaveProperty("bar_model");
  const problem = { message: "", errors: [{ field: "assumptions.queue.ahead", reason: "it is too much" }] };
  await form.setProps({ problem });
  expect(form.text()).toContain("it is too much");
  form.findAllComponents({ name: "ElSelect" })[0]!.vm.$emit("update:modelValue", 4);
  await flushPromises();
  expect(form.find("#queue-ahead").exists()).toBe(false);
  await form.find("form").trigger("submit");
  expect((form.emitted("save")![1]![0] as { assumptions: object }).assumptions).toMatchObject({ fill_model: "touch", bar_model: "next_bar" });
});

test("several strategies on one account are asked for together, each with its share, and refusals stand with whom they are of", async () => {
  const eth = { ...history, id: 5, name: "eth", symbol: "ETH/USDT" };
  const form = show(AccountForm, { modelValue: true, kinds: [kind], histories: [history, eth], problem: null, busy: false });
  await flushPromises();
  expect(form.findAll("fieldset")).toHaveLength(2);
  await form.find("form").trigger("submit");
  expect([form.emitted("save"), form.findAll(".fall").length]).toEqual([undefined, 2]);
  await form.find("#member-0-grid-levels").setValue("10");
  await form.find("#member-1-grid-levels").setValue("12");
  await form.find("#assumptions-maker_fee").setValue("0.02");
  await form.find("form").trigger("submit");
  expect(form.emitted("save")![0]![0]).toEqual({
    capital: "10000",
    instances: [4, 5].map((id, at) => ({ history_id: id, strategy: "grid", params: { levels: at ? 12 : 10, spacing: "geometric" }, period: {}, assumptions: expect.objectContaining({ maker_fee: "0.02" }) as unknown })),
  });
  expect((form.emitted("save")![0]![0] as { instances: { assumptions: object }[] }).instances[0]!.assumptions).not.toHaveProperty("quote");
  form.findAllComponents({ name: "ElSwitch" })[0]!.vm.$emit("update:modelValue", false);
  await flushPromises();
  await form.find("#member-0-share").setValue("6000");
  await form.find("form").trigger("submit");
  expect(form.emitted("save")).toHaveLength(1);
  await form.find("#member-1-share").setValue("4000");
  await form.find("form").trigger("submit");
  expect((form.emitted("save")![1]![0] as { instances: { assumptions: { quote: string } }[] }).instances.map((one) => one.assumptions.quote)).toEqual(["6000", "4000"]);
  const errors = [{ field: "instances.1.parameters.levels", reason: "too many" }, { field: "capital", reason: "too little" }, { field: "instances.1.assumptions.taker_fee", reason: "too high" }];
  await form.setProps({ problem: { message: "", errors } });
  expect(form.findAll("fieldset")[1]!.text()).toContain("too many");
  expect(form.findAll("fieldset")[0]!.text()).not.toContain("too many");
  expect([form.text().includes("too little"), form.text().includes("too high")]).toEqual([true, true]);
});

test("an account that was asked for before is asked for again, without what is gone", async () => {
  const job = { capital: "700", is_equal: false, instances: [{ history_id: 4, strategy: "grid", params: { levels: 7 }, assumptions: { quote: "300", maker_fee: "0.3" } }, { history_id: 99, strategy: "grid", params: { levels: 8 }, assumptions: { quote: "400", maker_fee: "0.3" } }] };
  const form = show(AccountForm, { modelValue: true, kinds: [kind], histories: [history], draft: accountDraftOf(job as unknown as AccountJob), problem: null, busy: false });
  await flushPromises();
  await form.find("form").trigger("submit");
  expect(form.emitted("save")).toBeUndefined();
  await form.findAll("fieldset")[1]!.find("button").trigger("click");
  await form.find("form").trigger("submit");
  expect(form.emitted("save")![0]![0]).toMatchObject({ capital: "700", instances: [{ history_id: 4, params: { levels: 7 }, assumptions: { quote: "300", maker_fee: "0.3" } }] });
});

test("each strategy has its part of every sum, and the node's proof stands below", () => {
  const part = { strategy: "grid", symbol: "BTC/USDT", capital: "4000", metrics: { net: "5", fees: "1", fills: 3 }, warnings: [] };
  const result = { quote: "USDT", adds_up: true, metrics: { capital: "9000", unallocated: "1000", net: "10", fees: "2", fills: 6 }, instances: [part, part] };
  const text = show(InstanceTable, { result }).text();
  expect(text).toMatch(/1\. Range grid · BTC\/USDT4,000\.00.?\+5\.00.*Not allotted1,000\.00.*The account9,000\.00.?\+10\.00.*2\.006.*proves it/i);
  expect(show(InstanceTable, { result: { ...result, adds_up: false } }).text()).toContain("do not rely");
});

test("a search needs values of every parameter that has no default, and says how many sets there are", async () => {
  const form = show(OptimisationForm, { modelValue: true, kinds: [kind], histories: [history], problem: null, busy: false });
  await form.find("form").trigger("submit");
  expect(form.emitted("save")).toBeUndefined();
  await form.find("#space-levels").setValue("10:20:5");
  expect(form.text()).toContain("3 parameter sets in all");
  await form.find("#run-conditions").setValue("fills >= 30\n\n");
  await form.find("form").trigger("submit");
  const sent = form.emitted("save")![0]![0];
  expect(sent).toMatchObject({ space: { levels: "10:20:5", spacing: "geometric" }, objectives: ["sharpe"], conditions: ["fills >= 30"], method: "exhaustive", validation: "none" });
  expect(sent).not.toHaveProperty("folds");
});

test("parameters that were found fill in the form of a new strategy", async () => {
  const draft = { kind: "grid", symbol: "BTCUSDT", interval: "1h", parameters: { levels: "12" } };
  const form = show(CreateStrategy, { modelValue: true, kinds: [kind], limitsSchema: {}, accounts: [{ id: 8, name: "Paper", paper: true, exchange: "paper" }], symbols: [], draft, problem: null, busy: false });
  await flushPromises();
  await form.find("#new-name").setValue("Found");
  await form.find("form").trigger("submit");
  expect(form.emitted("save")![0]![0]).toMatchObject({ symbol: "BTCUSDT", interval: "1h", strategy_type: "grid", parameters: { levels: "12", spacing: "geometric" } });
});

test("the curve is read off by the arrow keys", async () => {
  const points = [[0, "100", "100", "0"], [60_000, "90.5", "110", "-9.5"]];
  const chart = show(CurveChart, { points, label: "Equity", currency: "USDT", tell: (iso: string) => iso });
  const slider = chart.find("[role=slider]");
  expect(slider.attributes("aria-valuetext")).toContain("90.50 USDT");
  await slider.trigger("keydown", { key: "ArrowLeft" });
  expect(slider.attributes("aria-valuetext")).toContain("1970-01-01T00:00:00.000Z: 100.00 USDT");
});

test("how far a run is, is told as it goes", () => {
  expect(show(RunState, { run: { state: "running", done: 3, total: 12 } }).text()).toMatch(/Running.*3 of 12/);
  expect(show(RunState, { run: { state: "queued", done: 0, total: 0 } }).find("progress").exists()).toBe(false);
});

test("two runs stand side by side, first what was different about them", () => {
  const one = { id: 1, symbol: "BTC/USDT", history: "hours", strategy: "grid", stamp: { code: "a" }, instances: [] } as unknown as RunDetail;
  const jobs = [{ strategy: "grid", params: { levels: 10 }, assumptions: {} }, { strategy: "grid", params: { levels: 12 }, assumptions: { queue: { ahead: "0.5" } } }];
  const text = show(CompareTable, { runs: [one, { ...one, id: 2 }], jobs, figures: [{ net: "5" }, { net: "-1" }] }).text();
  expect(text).toMatch(/#1#2.*levels1012.*In front of each order—0.5.*Net.*\+5.00.*−1.00/i);
  expect(text).not.toContain("Symbol");
});

test("two accounts stand side by side, their instances place by place", () => {
  const instance = { strategy: "grid", symbol: "BTC/USDT", history: "hours", history_id: 4 };
  const one = { id: 1, symbol: "BTC/USDT", history: "hours", strategy: "together", stamp: {}, instances: [instance] } as unknown as RunDetail;
  const other = { ...one, id: 2, instances: [instance, { ...instance, symbol: "ETH/USDT", strategy: "rsi" }] };
  const job = { strategy: "grid", params: { levels: 10 }, assumptions: { quote: "5000" } };
  const jobs = [{ capital: "5000", instances: [job] }, { capital: "9000", instances: [{ ...job, params: { levels: 11 } }, { ...job, strategy: "rsi" }] }];
  const text = show(CompareTable, { runs: [one, other], jobs, figures: [{ net: "5" }, { net: "6" }] }).text();
  expect(text).toMatch(/Capital50009000.*1\. levels1011.*2\. Strategy—rsi.*2\. Symbol—ETH\/USDT/i);
});

test("luck is called luck, with its measures", async () => {
  const panel = show(LuckPanel, { best, counts: { tried: 9, refused: 0, allowed: 9 }, strategy: "grid", mayTrade: true });
  expect(panel.text()).toMatch(/Luck.*out of 9 sets some had to look this good.*0.31.*0.62.*0.40/);
  await panel.findAll("button")[1]!.trigger("click");
  expect(panel.emitted("use")).toHaveLength(1);
});

test("the ranking names the robust set and hands its parameters on", async () => {
  const result = { objectives: ["max:sharpe"], ranking: [best], robust: { ...best, number: 5, params: { levels: "14", spacing: "geometric" } }, heatmaps: [{ x: "levels", y: "spacing" }] } as unknown as OptimisationResult;
  const table = show(RankingTable, { result, strategy: "grid", mayTrade: true });
  expect(table.text()).toMatch(/1\..*12.*Robust.*14/);
  await table.findAll("button").at(-1)!.trigger("click");
  expect(table.emitted("use")).toEqual([[{ levels: "14", spacing: "geometric" }]]);
});

test("a map frames the chosen cell and says what every cell is", () => {
  const map = { x: "fast", y: "slow", x_values: ["2", "4"], y_values: ["20"], cells: [[1.5, null]] };
  const shown = show(HeatMap, { map, label: "Sharpe", lessIsBetter: false, across: "Fast", down: "Slow", chosen: { fast: "2", slow: "20" } });
  expect(shown.findAll("td.chosen")).toHaveLength(1);
  expect(shown.find("td").attributes("title")).toBe("fast 2, slow 20: 1.50");
});
