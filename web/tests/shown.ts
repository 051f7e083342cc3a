/** Parts of the page shown as a signed-in person sees them, and a strategy and a history to try their forms with. */
import { PiniaColada, useQueryCache } from "@pinia/colada";
import { mount } from "@vue/test-utils";
import { createPinia } from "pinia";
import type { App, Component } from "vue";
import type { History, StrategyKind } from "@/api/types";
import { i18n } from "@/i18n";
import { router } from "@/router";

export const kind = {
  name: "grid", title: "Range grid", summary: "", reasons: [],
  schema: { properties: { levels: { type: "integer", title: "Levels", minimum: 2 }, spacing: { enum: ["arithmetic", "geometric"], default: "geometric", title: "Spacing" } }, required: ["levels"] },
} as unknown as StrategyKind;
export const history = { id: 4, name: "hours", symbol: "BTC/USDT", bar_ms: 3_600_000, bars: 900, gaps: 0, first_at: "2025-05-04T15:00:00Z", last_at: "2025-06-03T15:00:00Z" } as unknown as History;
const session = { user: { id: 1, login: "one", display_name: "", role: "trader" }, time_zone: "UTC", kill: { on: false } };
const known = { install: (app: App) => app.runWithContext(() => useQueryCache().setQueryData(["session"], session)) };
const stubs = { ElDialog: { template: "<div><slot /></div>" }, ElSelect: true, ElOption: true };
export const show = (part: Component, props: object, attachTo?: HTMLElement) => mount(part, { props, attachTo, global: { plugins: [i18n, router, createPinia(), PiniaColada, known], stubs } });
