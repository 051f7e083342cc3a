// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { beforeAll, describe, expect, test } from "vitest";
import { instanceJobsOf, type AccountSearchJob, type OptimisationResult, type TogetherResult } from "@/api/runs";
import { Problem } from "@/api/problem";
import type { StrategyKind } from "@/api/types";
import { accountDraftWith, accountSearchDraftOf, optimisationDraftOf, sharedOf, strategyDraftsOf, strategyDraftsWith } from "@/forms/drafts";
import { problemOf, searchedOf, sharedProblem, splitSpace, testedOf } from "@/forms/members";
import { NAME, namesOf } from "@/forms/names";
import { initialValues, type Field } from "@/forms/schema";
import { initialSpace, mostSets, namedIn } from "@/forms/space";
import AccountForm from "@/views/research/parts/AccountForm.vue";
import AccountSearchForm from "@/views/research/parts/AccountSearchForm.vue";
import CreateStrategy from "@/views/strategies/parts/CreateStrategy.vue";
import { history, kind, show } from "./shown";

const fees = (maker_fee: string, more: object = {}) => ({ maker_fee, base: "0", quote: "10000", ...more });
const job = {
  strategy: "together", capital: "9000", is_equal: false, assumptions: {}, space: { "low.levels": "6:14:4", "low.quote": "3000,4000" }, objectives: ["max:low.net"], conditions: ["low.fills >= 3"], method: "random", trials: 30,
  instances: [
    { name: "low", history_id: 4, strategy: "grid", params: { spacing: "geometric", reinvest: "false" }, assumptions: fees("0.1"), period: { since: null, until: null, bar_ms: null } },
    { name: "grid", history_id: 5, strategy: "grid", params: { levels: "9" }, assumptions: fees("0.02", { quote: "4000" }) },
    { name: "third", history_id: 4, strategy: "grid", params: { levels: "8" }, assumptions: fees("0.1", { quote: "500" }) },
  ],
} as unknown as AccountSearchJob;
const chosen = { "low.levels": "10", "low.quote": "3000", "grid.levels": "9" };

describe("instances of an account", () => {
  test("are called as the node calls them", () => {
    const called = (...instances: [string, string][]) => namesOf(instances.map(([name, strategy]) => ({ name, strategy })));
    expect(called(["", "grid"], ["", "rsi"], ["", "grid"], ["", "grid"])).toEqual(["grid", "rsi", "grid-2", "grid-3"]);
    expect(called(["", "grid"], ["grid", "rsi"], ["grid-2", "rsi"])).toEqual(["grid-3", "grid", "grid-2"]);
  });
  test.each([["low", true], ["a-1_B", true], ["2", false], ["a.b", false], ["x".repeat(41), false]])("may be called %s: %s", (name, isFine) => expect(NAME.test(name)).toBe(isFine));
  test("try what has several values, and are given the rest", () => {
    const one = { ...searchedOf(0, 4), space: { levels: "6:14:4", spacing: "geometric", stop: "" }, share: "3000" };
    const other = { ...searchedOf(1, 4), name: " high ", space: { levels: "9" }, share: "1000,2000" };
    const { parts, space } = splitSpace([one, other], true);
    expect(parts.map(({ name, params, share }) => [name, params, share])).toEqual([["grid", { spacing: "geometric" }, "3000"], ["high", { levels: "9" }, undefined]]);
    expect(space).toEqual({ "grid.levels": "6:14:4", "high.quote": "1000,2000" });
    expect(splitSpace([one, other], false).space).toEqual({ "grid.levels": "6:14:4" });
  });
  test("hear what was said against them, and not what was said against others", () => {
    const errors = [["instances.1.parameters.levels", "a"], ["space.high.levels", "b"], ["space.high.quote", "c"], ["instances.0.assumptions.maker_fee", "d"], ["instances.1.assumptions.maker_fee", "e"], ["space.grid.levels", "f"], ["capital", "g"]];
    const problem = new Problem(422, "bad_fields", "No.", "", errors.map(([field, reason]) => ({ field: field!, reason: reason! })));
    const told = (of: ReturnType<typeof problemOf>) => of!.errors.map(({ field, reason }) => `${field} ${reason}`);
    expect(told(problemOf(problem, 1, "high"))).toEqual(["parameters.levels a", "parameters.levels b", "assumptions.quote c", "assumptions.maker_fee e"]);
    // The second has fees of its own.
    expect(told(sharedProblem(problem, [testedOf(0, 4), { ...testedOf(1, 4), own: {} }]))).toEqual(expect.arrayContaining(["assumptions.maker_fee d", "capital g"]));
    expect(told(sharedProblem(problem, [testedOf(0, 4), { ...testedOf(1, 4), own: {} }]))).not.toContain("assumptions.maker_fee e");
  });
  test("have in common what most of them assume", () => expect(sharedOf(job.instances)).toEqual({ common: { maker_fee: "0.1" }, own: [null, { maker_fee: "0.02" }, null] }));
  test("are not said to own what is shared equally, or was searched for", () => {
    expect(instanceJobsOf(job).map((one) => one.assumptions)).toEqual([{ maker_fee: "0.1" }, { quote: "4000", maker_fee: "0.02" }, { quote: "500", maker_fee: "0.1" }]);
    expect(instanceJobsOf({ ...job, is_equal: true })[1]!.assumptions).toEqual({ maker_fee: "0.02" });
  });
});

describe("a set that was found", () => {
  test("fills in a backtest of the account", () => {
    expect(accountDraftWith(job, chosen)).toMatchObject({
      capital: "9000", isEqual: false, assumptions: { maker_fee: "0.1" },
      members: [{ history: 4, share: "3000", own: null, parameters: { levels: "10", spacing: "geometric" } }, { history: 5, share: "4000", own: { maker_fee: "0.02" }, parameters: { levels: "9" } }, { share: "500" }],
    });
  });
  test("fills in the strategies, each with what it owned", () => {
    const instances = ["BTC/USDT", "ETH/USDT", "BTC/USDT"].map((symbol) => ({ symbol, bar_ms: 3_600_000 }));
    const result = { quote: "USDT", instances, best: [{ shares: [{ capital: "3000.5" }] }] } as unknown as OptimisationResult;
    const [first, second] = strategyDraftsWith(job, chosen, result);
    expect(first).toMatchObject({ name: "low", kind: "grid", symbol: "BTCUSDT", interval: "1h", parameters: { levels: "10", reinvest: "false" }, limits: { capital: { USDT: "3000" } } });
    expect(second).toMatchObject({ symbol: "ETHUSDT", limits: { capital: { USDT: "4000" } } });
    const equal = strategyDraftsWith({ ...job, is_equal: true }, { "low.levels": "10" }, result);
    expect(equal[0]!.limits).toEqual({ capital: { USDT: "3000.5" } });
  });
  test("of an account that was tested is traded as it was", () => {
    const result = { quote: "USDT", instances: [{ symbol: "BTC/USDT", bar_ms: 60_000, capital: "4500" }] } as unknown as TogetherResult;
    expect(strategyDraftsOf({ ...job, instances: [job.instances[1]!] }, result)).toEqual([{ kind: "grid", symbol: "BTCUSDT", interval: "1m", parameters: { levels: "9" }, limits: { capital: { USDT: "4500" } } }]);
  });
  test("says no where it says false", () => {
    const reinvest = { name: "reinvest", kind: "boolean", initial: true } as Field;
    expect(["false", "true", false, undefined].map((value) => initialValues([reinvest], { reinvest: value }).reinvest)).toEqual([false, true, false, true]);
  });
});

describe("a search that was asked for is asked for again", () => {
  test("among several on an account", () => {
    expect(accountSearchDraftOf(job)).toMatchObject({
      objectives: ["max:low.net"], conditions: ["low.fills >= 3"], settings: { method: "random", trials: 30 },
      members: [{ name: "low", share: "3000,4000", space: { levels: "6:14:4", spacing: "geometric", reinvest: "false" } }, { name: "grid", share: "4000", space: { levels: "9" }, own: { maker_fee: "0.02" } }, {}],
    });
  });
  test("of one alone", () => expect(optimisationDraftOf({ strategy: "grid", space: { levels: "5,6" }, assumptions: { quote: "5" } }, 4)).toMatchObject({ kind: "grid", history: 4, space: { levels: "5,6" }, objectives: ["sharpe"], assumptions: { quote: "5" } }));
});

test("what is tried is looked at value by value", () => {
  expect([namedIn("6, 8,9"), namedIn("6:14:4"), namedIn("7")]).toEqual([["6", "8", "9"], ["6", "14"], ["7"]]);
  expect(initialSpace([{ name: "levels", initial: 20 }, { name: "stop", initial: undefined }] as Field[], { stop: "5" })).toEqual({ levels: "20", stop: "5" });
  expect([mostSets(3, "exhaustive"), mostSets(3, "tpe")]).toEqual([66_666, Infinity]);
});

const other = { ...history, id: 5, symbol: "ETH/USDT", name: "hours-2" };
const shownForm = (part: typeof AccountSearchForm | typeof AccountForm, more: object = {}) => show(part, { modelValue: true, kinds: [kind], histories: [history, other], problem: null, busy: false, ...more });
interface Sent { capital: string; space: object; conditions: string[]; instances: { name: string; params: object; assumptions: Record<string, unknown> }[] }
const sentBy = (form: ReturnType<typeof shownForm>) => form.emitted("save")?.at(-1)?.[0] as Sent | undefined;
// The first form that is drawn takes its time.
beforeAll(() => void shownForm(AccountSearchForm).unmount());

test("a search among several is sent with what is tried of each, once it can be read", async () => {
  const form = shownForm(AccountSearchForm);
  await flushPromises();
  expect(form.text()).toContain("Nothing is tried yet");
  await form.find("#member-0-name").setValue("low");
  await form.find("#member-0-levels").setValue("6:14:4");
  await form.find("#member-1-levels").setValue("9,1");
  expect(form.text()).toContain("6 parameter sets in all");
  await form.find("#run-conditions").setValue("low.fills >= 3\nlow fills");
  await form.find("form").trigger("submit");
  expect([sentBy(form), form.text().includes("Outside its bounds."), form.text().includes("Line 2 is no comparison")]).toEqual([undefined, true, true]);
  await form.find("#member-1-levels").setValue("9");
  await form.find("#member-1-spacing").setValue("round");
  await form.find("#run-conditions").setValue("low.fills >= 3");
  await form.find("form").trigger("submit");
  expect([sentBy(form), form.text().includes("One of: arithmetic, geometric.")]).toEqual([undefined, true]);
  // What is written anew is not called wrong before it is looked at.
  await form.find("#member-1-spacing").setValue("arith");
  expect(form.text()).not.toContain("One of: arithmetic, geometric.");
  await form.find("form").trigger("submit");
  expect([sentBy(form), form.text().includes("One of: arithmetic, geometric.")]).toEqual([undefined, true]);
  await form.find("#member-1-spacing").setValue("arithmetic");
  await form.find("form").trigger("submit");
  expect(sentBy(form)).toMatchObject({
    capital: "10000", space: { "low.levels": "6:14:4" }, conditions: ["low.fills >= 3"], objectives: ["sharpe"], method: "exhaustive",
    instances: [{ name: "low", history_id: 4, params: { spacing: "geometric" } }, { name: "grid", history_id: 5, params: { levels: "9", spacing: "arithmetic" } }],
  });
  expect(sentBy(form)!.instances[0]!.assumptions).not.toHaveProperty("quote");
});

test("names are each one's own, shares may be tried, and too many sets are told", async () => {
  const form = shownForm(AccountSearchForm);
  await flushPromises();
  await form.find("#member-0-levels").setValue("6,8");
  await form.find("#member-1-levels").setValue("9");
  for (const at of [0, 1]) await form.find(`#member-${at}-name`).setValue("same");
  form.findAllComponents({ name: "ElSwitch" })[0]!.vm.$emit("update:modelValue", false);
  await flushPromises();
  await form.find("#member-0-share").setValue("3000:5000:1000");
  await form.find("form").trigger("submit");
  expect([sentBy(form), form.text().includes("Another strategy has this name."), form.text().includes("Needed.")]).toEqual([undefined, true, true]);
  await form.find("#member-1-name").setValue("other");
  await form.find("#member-1-share").setValue("4000");
  await form.find("form").trigger("submit");
  expect(sentBy(form)).toMatchObject({ space: { "same.levels": "6,8", "same.quote": "3000:5000:1000" }, instances: [{ name: "same" }, { name: "other", assumptions: { quote: "4000" } }] });
  await form.find("#member-0-levels").setValue("1:400000:1");
  expect(form.text()).toContain("1,200,000 parameter sets are more than 100,000");
});

test("each strategy may have fees of its own, which begin as those of all", async () => {
  const form = shownForm(AccountForm);
  await flushPromises();
  await form.find("#assumptions-maker_fee").setValue("0.05");
  for (const at of [0, 1]) await form.find(`#member-${at}-grid-levels`).setValue("10");
  form.findAllComponents({ name: "ElSwitch" }).at(-1)!.vm.$emit("update:modelValue", true);
  await flushPromises();
  expect((form.find("#member-1-assumptions-maker_fee").element as HTMLInputElement).value).toBe("0.05");
  await form.find("#member-1-assumptions-taker_fee").setValue("120");
  await form.find("form").trigger("submit");
  expect(sentBy(form)).toBeUndefined();
  await form.find("#member-1-assumptions-taker_fee").setValue("0.2");
  await form.find("#assumptions-maker_fee").setValue("0.07");
  await form.find("form").trigger("submit");
  expect(sentBy(form)!.instances.map(({ assumptions }) => [assumptions.maker_fee, assumptions.taker_fee])).toEqual([["0.07", "0.1"], ["0.05", "0.2"]]);
  const problem = new Problem(422, "bad_fields", "No.", "", [{ field: "instances.1.assumptions.maker_fee", reason: "too high for it" }, { field: "instances.0.assumptions.maker_fee", reason: "too high for all" }]);
  await form.setProps({ problem });
  expect(form.findAll("fieldset")[1]!.text()).toMatch(/too high for it/);
  expect(form.findAll("fieldset")[1]!.text()).not.toMatch(/too high for all/);
  expect(form.text()).toMatch(/too high for all/);
  // What is sent again has not been answered yet.
  await form.find("form").trigger("submit");
  await flushPromises();
  expect(form.text()).not.toMatch(/too high/);
});

test("an account is of spot or of futures as a whole, whoever has terms of its own", async () => {
  const form = shownForm(AccountForm);
  await flushPromises();
  for (const at of [0, 1]) await form.find(`#member-${at}-grid-levels`).setValue("10");
  form.findAllComponents({ name: "ElSwitch" }).at(-1)!.vm.$emit("update:modelValue", true);
  await flushPromises();
  form.findAllComponents({ name: "ElSwitch" })[1]!.vm.$emit("update:modelValue", true);
  await flushPromises();
  await form.find("#member-1-futures-leverage").setValue("5");
  await form.find("#futures-leverage").setValue("3");
  await form.find("form").trigger("submit");
  expect(sentBy(form)!.instances.map(({ assumptions }) => (assumptions.futures as { leverage: number }).leverage)).toEqual([3, 5]);
});

test("strategies that were found together are created one after the other, or passed over", async () => {
  const limitsSchema = { properties: { capital: { type: "object", title: "Capital" } } };
  const draft = { name: "low", kind: "grid", symbol: "BTCUSDT", interval: "1h", parameters: { levels: "12" }, limits: { capital: { USDT: "3000" } } };
  const props = { modelValue: true, kinds: [kind] as StrategyKind[], limitsSchema, accounts: [{ id: 8, name: "Paper", paper: true, exchange: "paper" }], symbols: [], draft, series: { place: 1, count: 2 }, problem: null, busy: false };
  const form = show(CreateStrategy, props);
  await flushPromises();
  await form.find("form").trigger("submit");
  expect(form.emitted("save")![0]![0]).toMatchObject({ name: "low", account_id: 8, parameters: { levels: "12" }, limits: { capital: { USDT: "3000" } } });
  expect(form.find("details").attributes()).toHaveProperty("open");
  await form.findAll("button").find((one) => one.text() === "Skip this one")!.trigger("click");
  expect(form.emitted("skip")).toHaveLength(1);
  expect(show(CreateStrategy, { ...props, series: { place: 2, count: 2 } }).text()).not.toContain("Skip this one");
});
