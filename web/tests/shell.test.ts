// @vitest-environment happy-dom
import { mount } from "@vue/test-utils";
import { createPinia } from "pinia";
import { expect, test } from "vitest";
import { i18n } from "@/i18n";
import { router } from "@/router";
import AppHeader from "@/shell/parts/AppHeader.vue";

const linksOf = (role: string) => {
  const session = { user: { id: 1, login: "one", display_name: "", role }, mode: "local", version: "1", time_zone: "UTC", kill: { on: false, by: null, at: null } };
  const props = { session: session as never, stream: "live" as const, mayTrade: true, language: "en" as const, theme: "auto" as const, rise: "green" as const };
  const shown = mount(AppHeader, { props, global: { plugins: [i18n, router, createPinia()], stubs: { "el-button": true, SettingsMenu: true } } });
  return shown.findAll("nav a").map((link) => link.text());
};

test("people are found by administrators, and by nobody else", () => {
  expect(linksOf("admin")).toEqual(["Strategies", "Copy trading", "Research", "Accounts", "Nodes", "Audit", "People"]);
  expect(linksOf("trader")).toEqual(linksOf("viewer"));
  expect(linksOf("trader")).not.toContain("People");
});
