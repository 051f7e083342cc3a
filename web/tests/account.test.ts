// @vitest-environment happy-dom
import { mount } from "@vue/test-utils";
import { describe, expect, test } from "vitest";
import { Problem } from "@/api/problem";
import { accountName, accountVerbs, troublesOf } from "@/format/account";
import { i18n } from "@/i18n";
import ChangePerson from "@/views/people/parts/ChangePerson.vue";

const key = { disabled: false, paper: false, has_key: true, rights: "verified", rights_checked_at: "2026-11-28T20:00:00Z", rights_consent_at: null } as const;

describe("an account", () => {
  test.each([
    [{}, "ready"],
    [{ disabled: true, rights: "refused" }, "disabled"],
    [{ paper: true, has_key: false, rights: "unknown" }, "paper"],
    [{ has_key: false }, "noKey"],
    [{ rights: "refused" }, "refused"],
    [{ rights: "unknown", rights_checked_at: null }, "checking"],
    [{ rights: "unknown" }, "unknown"],
    [{ rights: "unknown", rights_consent_at: "2026-11-28T20:00:00Z" }, "consented"],
  ] as const)("with %o is %s", (changes, name) => expect(accountName({ ...key, ...changes })).toBe(name));

  test("takes a key unless it is paper, and is enabled again or disabled", () => {
    expect(accountVerbs(key)).toEqual(["key", "disable", "remove"]);
    expect(accountVerbs({ paper: true, disabled: true })).toEqual(["enable", "remove"]);
  });

  test("tells what its venue or its key does to those who trade on it, each thing once, and nothing of their own limits", () => {
    const words = { code: "key_revoked", text: "The key was revoked.", field: "", values: {} };
    const running = [
      { account_id: 1, live: { last_error: "", held_back: "venue_closed,daily_loss" } },
      { account_id: 1, live: { last_error: words.text, last_error_words: words, held_back: "venue_closed" } },
      { account_id: 2, live: { last_error: "", held_back: "over_capital" } },
      { account_id: 3, live: null },
    ];
    expect([...troublesOf(running as never)]).toEqual([[1, [{ text: "venue_closed" }, { text: words.text, words }]]]);
  });
});

describe("a person is changed", () => {
  const person = { id: 4, login: "vera", display_name: "", role: "viewer", disabled: false, email: "v@example.org", created_at: "2026-11-28T20:00:00Z" } as const;
  const stubs = { "el-dialog": { template: "<div><slot /></div>" }, "el-button": { template: "<button><slot /></button>" }, "el-select": true, "el-option": true };
  const shown = (changes: object = {}, problem: Problem | null = null) =>
    mount(ChangePerson, { props: { modelValue: true, person: { ...person, ...changes }, problem, busy: false }, global: { plugins: [i18n], stubs } });

  test("only in what was changed", async () => {
    const dialog = shown();
    await dialog.find("form").trigger("submit");
    expect(dialog.emitted("save")).toBeUndefined();
    await dialog.findAll("input[type=checkbox]")[1]!.setValue(true);
    await dialog.find("form").trigger("submit");
    expect(dialog.emitted("save")).toEqual([[{ forget_email: true }]]);
  });
  test("and an address that is not known is not forgotten", () => expect(shown({ email: null }).findAll("input[type=checkbox]")).toHaveLength(1));
  test("unless the node refuses, which it explains", () => {
    expect(shown({}, new Problem(409, "last_administrator", "Nobody could manage people any more.", "Make somebody else an administrator first.", [])).text()).toContain("Make somebody else");
  });
});
