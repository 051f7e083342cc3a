// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { ModelAnswer } from "@/api/types";
import { dotsOf, SIZE } from "@/chart/calibration";
import { percent, signed } from "@/format/shares";
import ModelPanel from "@/views/strategy/parts/ModelPanel.vue";
import { show } from "./shown";

const score = { learned: 120, last_loss: 0.6512, compared: 20, taken: 31, edge: 0.0042, edge_errors: 2.31, calibration: [{ low: 0.6, high: 0.7, count: 40, predicted: 0.64, won: 0.6 }],
  weights: { trend: [{ input: "constant", value: 0 }, { input: "volume", value: -0.4 }], surge: [{ input: "constant", value: 0.2 }, { input: "volume", value: 0.9 }] } };
const card = { waits: 22, labels: 120, promotions: 2, base_rate: 0.41, base_loss: 0.68, champion: score, challenger: { ...score, last_loss: null },
  signals: [{ name: "trend", wins: 9, losses: 20, win: 0.008, loss: 0.012, side: 0, chance: null }, { name: "surge", wins: 30, losses: 11, win: 0.008, loss: 0.012, side: 1, chance: 0.66 }],
  choice: { signal: "surge", side: 1, time: "2026-05-01T12:00:00Z", chance: 0.66, expected: 0.0012, contributions: [{ input: "constant", value: 0.2 }, { input: "volume", value: 0.7 }, { input: "trend", value: 0 }] } };
const answer: ModelAnswer = { strategy_id: 1, is_frozen: false, waits_for: "It waits until enough trades on paper have taught it.", waits_for_words: null, card };
const panel = (model: ModelAnswer | undefined, more = {}) => show(ModelPanel, { model, loading: model === undefined, error: null, busy: false, mayTrade: true, ...more });

test("the card says why it waits, both models, and why the last bid was chosen, the strongest first", () => {
  const shown = panel(answer);
  expect(shown.text()).toContain("enough trades on paper");
  expect(shown.text()).toContain("0.6512");
  expect(shown.text()).toContain("+2.31");
  expect(shown.findAll("ul li").map((one) => one.text())).toEqual(["volume +0.70", "the signal itself +0.20"]);
  expect(shown.find("svg[role=img]").attributes("aria-label")).toContain("1 bins");
  expect(shown.findAll("details td").map((one) => one.text())).toContain("−0.40");
});

test("it is frozen and let go by whoever may trade, and by nobody else", async () => {
  const shown = panel(answer);
  await shown.find("button").trigger("click");
  expect(shown.emitted("turn")).toHaveLength(1);
  expect(panel({ ...answer, is_frozen: true }).find("button").text()).toBe("Learn again");
  expect(panel(answer, { mayTrade: false }).find("button").exists()).toBe(false);
});

test("before the first start it says that nothing was learned", () => {
  expect(panel({ ...answer, card: null, waits_for: "" }).text()).toContain("learned nothing yet");
});

test("what was seen often is a large dot, and a chance that is what it says lies on the diagonal", () => {
  const [small, large] = dotsOf([{ count: 4, predicted: 0.25, won: 0.25 }, { count: 100, predicted: 0.75, won: 0.5 }]);
  expect(small!.x + small!.y).toBe(SIZE);
  expect(large!.y).toBe(SIZE / 2);
  expect(large!.radius).toBeGreaterThan(small!.radius);
});

test("shares and scores are told with their signs", () => {
  expect([percent(0.6123), percent(0.0042, true), percent(-0.0042, true), percent(0.000001, true)]).toEqual(["61.2 %", "+0.42 %", "−0.42 %", "0.00 %"]);
  expect([signed(1.234), signed(-0.5), signed(-0.001)]).toEqual(["+1.23", "−0.50", "0.00"]);
});
