// @vitest-environment happy-dom
import { PiniaColada } from "@pinia/colada";
import { mount } from "@vue/test-utils";
import { createPinia } from "pinia";
import { expect, test } from "vitest";
import type { Component } from "vue";
import { Problem } from "@/api/problem";
import type { History, HistoryImport } from "@/api/types";
import { fileNameOf, guessOf, isReadable } from "@/format/history";
import { i18n } from "@/i18n";
import HistoryPanel from "@/views/research/parts/HistoryPanel.vue";
import UploadForm from "@/views/research/parts/UploadForm.vue";

const stubs = { ElDialog: { template: "<div><slot /></div>" }, ElSelect: true, ElOption: true, ElSkeleton: true };
const show = (part: Component, props: object) => mount(part, { props, global: { plugins: [i18n, createPinia(), PiniaColada], stubs } });
const history = { id: 4, name: "hours", symbol: "BTC/USDT", bar_ms: 3_600_000, bars: 900, gaps: 2, mine: true, source: "uploaded", first_at: "2025-05-04T15:00:00Z", last_at: "2025-06-03T15:00:00Z" } as unknown as History;
const coming = { id: 7, name: "simulated-btcusdt-1m", symbol: "BTCUSDT", source: "simulated", state: "running", done: 30, total: 60, error: "", errors: [] } as unknown as HistoryImport;
const panel = (props: object) => show(HistoryPanel, { histories: [], imports: [], loading: false, error: null, mayTrade: true, ...props });

test("histories have four faces", async () => {
  expect(panel({ loading: true }).find("[aria-busy=true]").exists()).toBe(true);
  expect(panel({}).text()).toContain("No history is kept yet.");
  const broken = panel({ loading: true, error: new Problem(503, "database_unavailable", "The database cannot be reached.", "Try again in a moment.", []) });
  expect(broken.text()).toContain("The database cannot be reached.");
  const shown = panel({ histories: [history, { ...history, id: 5, mine: false, source: "simulated" }] });
  expect(shown.text()).toMatch(/BTC\/USDT.*hours.*Yours.*1h.*900.*2.*2025-05-04 – 2025-06-03/);
  expect(shown.findAll("button").filter((one) => one.text() === "Remove")).toHaveLength(1);
  await shown.findAll("button").at(-1)!.trigger("click");
  expect(shown.emitted("remove")).toEqual([[history]]);
});

test("what is made in the background is said, with how far it is", () => {
  const shown = panel({ imports: [coming] });
  expect(shown.text()).toContain("The past of the simulated market is being made in the background");
  expect(shown.find("progress").attributes()).toMatchObject({ value: "30", max: "60" });
});

test("of a file that was refused the rows are named, the first of them open", async () => {
  const errors = Array.from({ length: 7 }, (_, at) => ({ row: at + 3, reason: "is double: time 5" }));
  const shown = panel({ imports: [{ ...coming, source: "file", state: "failed", error: "7 rows cannot be used", errors }] });
  expect(shown.text()).toMatch(/Row 3 is double: time 5.*2 more.*Row 9/);
  await shown.find("li button").trigger("click");
  expect(shown.emitted("dismiss")).toHaveLength(1);
});

test("a file is sent with what its name says of it, and not before it can be read", async () => {
  const form = show(UploadForm, { modelValue: true, problem: null, busy: false, sent: 0 });
  const choose = async (file: File) => {
    const input = form.find<HTMLInputElement>("input[type=file]");
    Object.defineProperty(input.element, "files", { value: [file], configurable: true });
    await input.trigger("change");
  };
  await form.find("form").trigger("submit");
  await choose(new File(["x"], "notes.pdf"));
  expect(form.text()).toContain("This kind of file cannot be read");
  await form.find("form").trigger("submit");
  expect(form.emitted("save")).toBeUndefined();
  const file = new File(["1,2,3"], "ETHUSDT-aggTrades-2024-08-08.zip");
  await choose(file);
  await form.find("form").trigger("submit");
  expect(form.emitted("save")![0]![0]).toMatchObject({
    file, body: { name: "ethusdt-aggtrades-2024-08-08", file_name: "ETHUSDT-aggTrades-2024-08-08.zip", size: 5, symbol: "ETH/USDT", prints: true, interval: "" },
  });
});

test("what the node says against a file stands beside its field", () => {
  const problem = new Problem(422, "bad_fields", "Some fields cannot be taken.", "Correct them.", [{ field: "name", reason: "you have a history called hours already" }]);
  expect(show(UploadForm, { modelValue: true, problem, busy: true, sent: 0.5 }).text()).toMatch(/you have a history called hours already.*50 % sent/);
});

test("names of files are read, and written as the node takes them", () => {
  expect(guessOf("BTC_USDT-5m.feather")).toEqual({ name: "btc_usdt-5m", symbol: "BTC/USDT", prints: false });
  expect(guessOf("some bars.CSV")).toMatchObject({ name: "some-bars", symbol: "BTC/USDT" });
  expect(["a.CSV", "b.csv.gz", "c.xlsx"].map(isReadable)).toEqual([true, true, false]);
  expect(fileNameOf("行情 2024.CSV")).toBe("-- 2024.csv");
});
