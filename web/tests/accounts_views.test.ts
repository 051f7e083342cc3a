// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, test } from "vitest";
import type { AccountJob } from "@/api/runs";
import type { RunDetail } from "@/api/types";
import BacktestForm from "@/forms/BacktestForm.vue";
import { accountDraftOf } from "@/forms/drafts";
import CompareTable from "@/components/CompareTable.vue";
import AccountForm from "@/views/research/parts/AccountForm.vue";
import InstanceTable from "@/views/together/parts/InstanceTable.vue";
import { history, kind, show } from "./shown";

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

test("recorded fundings are taken from a file, tiers are typed, and what is refused of them stands with them", async () => {
  const draft = { kind: "grid", parameters: { levels: 5 }, assumptions: { futures: { leverage: 3, tiers: [{ up_to: "1000", maintenance_percent: "0.4", leverage: 50 }] } } };
  const form = show(BacktestForm, { modelValue: true, kinds: [kind], histories: [history], draft, problem: null, busy: false });
  await flushPromises();
  const input = form.find("#futures-rates");
  const choose = async (text: string) => {
    Object.defineProperty(input.element, "files", { value: [new File([text], "rates.csv")], configurable: true });
    await input.trigger("change");
    await flushPromises();
  };
  await choose("symbol,time,value\nETHUSDT,1672621200000,0.0001\n");
  expect(form.text()).toContain("It holds nothing of BTCUSDT");
  await choose("symbol,time,value\nBTCUSDT,1672621200000,0.0001\nBTCUSDT,1672650000000,-0.0002\n");
  expect(form.text()).toContain("2 fundings of BTCUSDT, 2023-01-02 to 2023-01-02");
  await form.find("[aria-label='Worth up to, tier 2']").setValue("5000");
  await form.find("form").trigger("submit");
  expect([form.emitted("save"), form.text().includes("Tier 2: an amount")]).toEqual([undefined, true]);
  await form.find("[aria-label='Maintenance %, tier 2']").setValue("1");
  await form.find("form").trigger("submit");
  expect((form.emitted("save")![0]![0] as { assumptions: object }).assumptions).toMatchObject({
    futures: { tiers: [{ up_to: "1000", leverage: 50 }, { up_to: "5000", maintenance_percent: "1" }], funding_rates: [{ time_ms: 1_672_621_200_000, rate: "0.0001" }, { time_ms: 1_672_650_000_000, rate: "-0.0002" }] },
  });
  await form.setProps({ problem: { message: "", errors: [{ field: "assumptions.futures.tiers.1.leverage", reason: "it is too high" }] } });
  expect(form.text()).toContain("it is too high");
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
  expect(sent.assumptions).toMatchObject({ fill_model: "queue", queue: { ahead: "0.25", share_percent: "20", share_ms: 60_000, cancelled_percent: "0", whole_beyond: false } });
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

test("two accounts stand side by side, their instances place by place", () => {
  const instance = { strategy: "grid", symbol: "BTC/USDT", history: "hours", history_id: 4 };
  const one = { id: 1, symbol: "BTC/USDT", history: "hours", strategy: "together", stamp: {}, instances: [instance] } as unknown as RunDetail;
  const other = { ...one, id: 2, instances: [instance, { ...instance, symbol: "ETH/USDT", strategy: "rsi" }] };
  const job = { strategy: "grid", params: { levels: 10 }, assumptions: { quote: "5000" } };
  const jobs = [{ capital: "5000", instances: [job] }, { capital: "9000", instances: [{ ...job, params: { levels: 11 } }, { ...job, strategy: "rsi" }] }];
  const text = show(CompareTable, { runs: [one, other], jobs, figures: [{ net: "5" }, { net: "6" }] }).text();
  expect(text).toMatch(/Capital50009000.*1\. levels1011.*2\. Strategy—rsi.*2\. Symbol—ETH\/USDT/i);
});
