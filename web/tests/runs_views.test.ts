// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, test } from "vitest";
import { jobOf, type Best, type OptimisationResult } from "@/api/runs";
import type { RunDetail } from "@/api/types";
import CurveChart from "@/chart/CurveChart.vue";
import HeatMap from "@/chart/HeatMap.vue";
import JobPanel from "@/components/JobPanel.vue";
import RunFace from "@/components/RunFace.vue";
import RunState from "@/components/RunState.vue";
import BacktestForm from "@/forms/BacktestForm.vue";
import { learnTitles } from "@/i18n/words";
import CompareTable from "@/components/CompareTable.vue";
import LuckPanel from "@/views/optimisation/parts/LuckPanel.vue";
import RankingTable from "@/views/optimisation/parts/RankingTable.vue";
import ShareTable from "@/views/optimisation/parts/ShareTable.vue";
import OptimisationForm from "@/views/research/parts/OptimisationForm.vue";
import CreateStrategy from "@/views/strategies/parts/CreateStrategy.vue";
import { history, kind, show } from "./shown";

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

test("a validated search tells how far each of its stages is", () => {
  const stages = [{ name: "all", done: 9, total: 9 }, { name: "train-1", done: 4, total: 9 }, { name: "fold-2", done: 0, total: 9 }];
  const face = show(RunFace, { run: { state: "running", done: 13, total: 27, stages } });
  expect(face.text()).toMatch(/13 of 27.*On the whole history9 of 9.*Before unseen part 14 of 9.*On fold 2 alone0 of 9/);
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

test("luck is called luck, with its measures", async () => {
  const panel = show(LuckPanel, { best, counts: { tried: 9, refused: 0, allowed: 9 }, title: (name: string) => name, mayTrade: true });
  expect(panel.text()).toMatch(/Luck.*out of 9 sets some had to look this good.*0.31.*0.62.*0.40/);
  await panel.findAll("button")[1]!.trigger("click");
  expect(panel.emitted("use")).toHaveLength(1);
});

test("the ranking names the robust set and hands its parameters on", async () => {
  const result = { objectives: ["max:sharpe"], ranking: [best], robust: { ...best, number: 5, params: { levels: "14", spacing: "geometric" } }, heatmaps: [{ x: "levels", y: "spacing" }] } as unknown as OptimisationResult;
  const table = show(RankingTable, { result, title: (name: string) => name, mayTrade: true });
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

test("a search of several says what each had of the best set, and what was asked of all", () => {
  const share = { capital: "20000", fees: "1", return_percent: 0.03, max_drawdown_percent: 1, fills: 8, sales: 4 };
  const shares = [{ ...share, name: "trend", net: "6.5", part_percent: 130 }, { ...share, name: "swing", net: "-1.5", part_percent: -30 }];
  const instances = ["BTCUSDT", "ETHUSDT"].map((symbol, at) => ({ name: shares[at]!.name, strategy: "ma_cross", symbol, base: "", bars: 5, bar_ms: 60_000 }));
  const table = show(ShareTable, { result: { quote: "USDT", instances } as unknown as OptimisationResult, shares });
  expect(table.text()).toMatch(/trend · BTCUSDT.*6.5.*130.*swing · ETHUSDT.*1.5.*30/);
  const run = { strategy: "together", history: "hours", stamp: {}, job: { capital: "35000", space: { "ma_cross.fast": "2:8:3" }, instances: [] } } as unknown as RunDetail;
  expect(show(JobPanel, { job: jobOf(run), run, result: null }).text()).toMatch(/ma_cross\.fast2:8:3.*35000/);
});
