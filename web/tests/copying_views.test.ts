// @vitest-environment happy-dom
import { PiniaColada, useQueryCache } from "@pinia/colada";
import { flushPromises, mount } from "@vue/test-utils";
import { createPinia } from "pinia";
import { describe, expect, test } from "vitest";
import type { App, Component } from "vue";
import type { Drift, MasterResult, Relationship, TrackingStep } from "@/api/types";
import DriftTable from "@/components/DriftTable.vue";
import ResyncDialog from "@/components/ResyncDialog.vue";
import { i18n } from "@/i18n";
import { router } from "@/router";
import CapsForm from "@/views/copying/parts/CapsForm.vue";
import CapsTable from "@/views/copying/parts/CapsTable.vue";
import FollowForm from "@/views/copying/parts/FollowForm.vue";
import MasterForm from "@/views/copying/parts/MasterForm.vue";
import EditTerms from "@/views/relationship/parts/EditTerms.vue";
import LedgerTable from "@/views/relationship/parts/LedgerTable.vue";
import TermsPanel from "@/views/relationship/parts/TermsPanel.vue";

const relationship = {
  id: 3, account_name: "Follower", master_name: "Lead", paper: true, feed: "binance_spot", mode: "fixed_ratio", follow_ratio: "0.1", max_ratio: null, notional: null, kelly_fraction: null,
  allow_symbols: ["BTCUSDT"], deny_symbols: [], max_symbol_notional: null, max_notional: "9000", max_leverage: null, slippage_collar: null, max_entry_delay_ms: null, delay_ms: 0,
  stop_loss: null, take_profit: null, total_stop_loss: null, total_take_profit: null, copy_existing: false, on_stop: "keep", reverse: false, revision: 2, desired_state: "following",
  state: "following", created_at: "2026-11-28T20:00:00Z",
} as unknown as Relationship;

const stubs = { ElDialog: { template: "<div><slot /></div>" }, ElSelect: true, ElOption: true };
const session = { user: { id: 1, login: "one", display_name: "", role: "trader" }, time_zone: "UTC", kill: { on: false } };
/** Who is here is known already, so that nothing is asked of a node. */
const known = { install: (app: App) => app.runWithContext(() => useQueryCache().setQueryData(["session"], session)) };
const show = (part: Component, props: object) => mount(part, { props, global: { plugins: [i18n, router, createPinia(), PiniaColada, known], stubs } });
const causes = { latency: "0.5", slippage: "-0.25", rounding: "0", caps: "0", skipped: "0", fees: "0.1", funding: "0" };

describe("a resync", () => {
  const step = { symbol: "ETHUSDT", master_position: "1", held: "0", target: "0.1", change: "0.1", reason: "copied", reason_text: "The whole position of the master is copied." };
  const dialog = (preview: object | undefined) => show(ResyncDialog, { modelValue: true, relationship, preview, loading: !preview, error: null, problem: null, busy: false });

  test("shows what would be traded, and is agreed to after that alone", async () => {
    const shown = dialog({ relationship_id: 3, steps: [step, { ...step, symbol: "BTCUSDT", change: "-0.02" }, { ...step, symbol: "SOLUSDT", change: "0" }], unknown: ["XRPUSDT"] });
    expect(shown.text()).toMatch(/ETHUSDT100.1▲ Buy 0.1/);
    expect(shown.text()).toMatch(/▼ Sell 0.02/);
    expect(shown.text()).toContain("Not known to this node: XRPUSDT");
    await shown.find("form").trigger("submit");
    expect(shown.emitted("submit")).toHaveLength(1);
  });
  test("cannot be agreed to before it is known", async () => {
    const shown = dialog(undefined);
    await shown.find("form").trigger("submit");
    expect(shown.emitted("submit")).toBeUndefined();
  });
});

test("terms are edited from what they are, and only the changes are sent with the revision that was seen", async () => {
  const shown = show(EditTerms, { modelValue: true, relationship, problem: null, busy: false });
  await shown.find("form").trigger("submit");
  expect(shown.emitted("save")).toBeUndefined();
  await shown.find("#copying-follow_ratio").setValue("0.25");
  await shown.find("#copying-max_notional").setValue("");
  await shown.find("#copying-deny_symbols").setValue("solusdt, xrpusdt");
  await shown.find("form").trigger("submit");
  expect(shown.emitted("save")).toEqual([[{ follow_ratio: "0.25", max_notional: null, deny_symbols: ["SOLUSDT", "XRPUSDT"], revision: 2 }]]);
});

test("a master is followed on what was written, and not before it is a number", async () => {
  const master = { removed: false, master: { id: 5, name: "Lead", state: "active" } } as unknown as MasterResult;
  const shown = show(FollowForm, { modelValue: true, accounts: [{ id: 8, name: "Follower", paper: true, disabled: false }], masters: [master], problem: null, busy: false });
  await flushPromises();
  await shown.find("#copying-follow_ratio").setValue("a tenth");
  await shown.find("form").trigger("submit");
  expect([shown.emitted("save"), shown.text().includes("A decimal number")]).toEqual([undefined, true]);
  await shown.find("#copying-follow_ratio").setValue("0.1");
  await shown.find("form").trigger("submit");
  await flushPromises();
  expect(shown.emitted("save")![0]![0]).toMatchObject({ account_id: 8, master_id: 5, mode: "fixed_ratio", follow_ratio: "0.1", on_stop: "keep" });
});

test("the terms that say something are shown, in groups", () => {
  const text = show(TermsPanel, { relationship, mayEdit: true }).text();
  expect(text).toMatch(/revision 2.*Ratio0.1.*Most for this master9,000.*Only these symbolsBTCUSDT/);
  expect(text).not.toContain("Stop loss");
  expect(show(TermsPanel, { relationship: { ...relationship, max_notional: null }, mayEdit: false }).text()).toContain("There is no cap");
});

test("the ledger tells each cause, and warns where they do not add up", () => {
  const step = { symbol: "BTCUSDT", sequence: 2, kind: "execution", at: "2026-11-28T20:00:00Z", difference: "0.35", adds_up: true, ...causes } as unknown as TrackingStep;
  expect(show(LedgerTable, { steps: [step] }).text()).toMatch(/BTCUSDT execution\+0.3500\+0.5000−0.25000.00000.00000.0000\+0.1000/);
  expect(show(LedgerTable, { steps: [{ ...step, adds_up: false }] }).text()).toContain("do not add up");
});

test("how far a follower is off says whose it is, unless the page does", () => {
  const drift = { relationship_id: 3, symbol: "BTCUSDT", master_position: "0.1", target: "0.01", held: "0.009", drift: "-0.001", is_behind: false, reason_text: "", causes: null } as unknown as Drift;
  expect(show(DriftTable, { drifts: [drift], relationships: [relationship] }).text()).toMatch(/Follower ← LeadBTCUSDT0.10.010.009Off by −0.001/);
  expect(show(DriftTable, { drifts: [drift] }).text()).not.toContain("Lead");
});

test("caps for all masters of an account are shown, and only what was changed is sent", async () => {
  const account = { account_id: 8, account_name: "Follower", max_notional: "9000", max_leverage: null, revision: 4, equity: null, equity_at: null, runner: "", last_error: "" };
  expect(show(CapsTable, { accounts: [account], canTrade: true }).text()).toMatch(/Follower.*9,000.*no cap.*Change/);
  expect(show(CapsTable, { accounts: [account], canTrade: false }).text()).not.toContain("Change");
  const shown = show(CapsForm, { modelValue: true, account, problem: null, busy: false });
  await shown.find("form").trigger("submit");
  await shown.find("#caps-max_leverage").setValue("twice");
  await shown.find("form").trigger("submit");
  expect(shown.emitted("save")).toBeUndefined();
  await shown.find("#caps-max_leverage").setValue("2");
  await shown.find("#caps-max_notional").setValue("");
  await shown.find("form").trigger("submit");
  expect(shown.emitted("save")).toEqual([[{ max_notional: null, max_leverage: "2", revision: 4 }]]);
});

describe("a master is offered", () => {
  const accounts = [{ id: 8, name: "Paper", paper: true, disabled: false }, { id: 9, name: "Live", paper: false, disabled: false }, { id: 10, name: "Off", paper: false, disabled: true }];
  const form = (strategies: object[]) => show(MasterForm, { modelValue: true, accounts, strategies, problem: null, busy: false });

  test("by its strategy's name, or another, to oneself or to everybody", async () => {
    const shown = form([{ id: 4, name: "Grid of mine" }]);
    await shown.find("form").trigger("submit");
    await shown.find("#master-name").setValue("  Lead  ");
    await shown.find("#master-shared").trigger("click");
    await shown.find("form").trigger("submit");
    expect(shown.emitted("save")).toEqual([
      [{ kind: "strategy", strategy_id: 4, name: "Grid of mine", shared: false }],
      [{ kind: "strategy", strategy_id: 4, name: "Lead", shared: true }],
    ]);
  });
  test("by a live account that is in use, and not before there is something to follow", async () => {
    const shown = form([]);
    expect(shown.text()).toContain("You have no strategy yet.");
    await shown.find("form").trigger("submit");
    expect(shown.emitted("save")).toBeUndefined();
    await shown.find("input[value=account]").setValue();
    await shown.find("form").trigger("submit");
    expect(shown.emitted("save")).toEqual([[{ kind: "account", account_id: 9, name: "Live", shared: false }]]);
  });
});
