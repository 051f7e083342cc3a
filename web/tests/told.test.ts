// @vitest-environment happy-dom
import { mount } from "@vue/test-utils";
import { afterEach, describe, expect, test } from "vitest";
import { Problem, toProblem } from "@/api/problem";
import type { Words } from "@/api/types";
import WarningList from "@/components/WarningList.vue";
import { useErrors } from "@/forms/useErrors";
import { i18n, type Language } from "@/i18n";
import { useWords } from "@/i18n/words";

/** Something that is set up inside the page, in one of its languages. */
function inPage<Thing>(language: Language, set: () => Thing): Thing {
  i18n.global.locale.value = language;
  let thing!: Thing;
  mount({ setup: () => ((thing = set()), () => null) }, { global: { plugins: [i18n] } });
  return thing;
}
afterEach(() => void (i18n.global.locale.value = "en"));

const closer: Words = { code: "levels_too_close", text: "levels: 9 levels between these prices are closer than one tick; use fewer.", field: "levels", values: { levels: "9" } };
const edit: Words = { code: "edit_the_strategy", text: `${closer.text}. Edit the strategy.`, field: "", values: { wrong: closer } };
const answer = (body: object, status = 422) => toProblem({ code: "bad_fields", detail: "Wrong.", next_step: "Mend it.", ...body }, { status } as Response);

describe("a sentence of the node", () => {
  test("is said by its code, with its values, and so are sentences inside it", () => {
    const { told } = inPage("zh-CN", useWords);
    expect(told({ ...closer, field: "" }, "")).toBe("在这两个价格之间放 9 层，间距小于最小变动；请减少层数。");
    expect(told(edit, "")).toBe("levels：在这两个价格之间放 9 层，间距小于最小变动；请减少层数。请修改策略。");
  });
  test("stands as it came where it has no code, or one of a newer node, and in English", () => {
    const { told } = inPage("zh-CN", useWords);
    expect([told(null, "-2010 from the venue"), told({ ...edit, code: "of_tomorrow" }, "new")]).toEqual(["-2010 from the venue", "new"]);
    expect(inPage("en", useWords).told(closer, closer.text)).toBe(closer.text);
  });
  test("keeps signs of other languages as they are", () => {
    const odd: Words = { code: "not_a_number", text: "", field: "", values: { value: "{0} | @:x $t(y)" } };
    expect(inPage("zh-CN", useWords).told(odd, "")).toBe("{0} | @:x $t(y) 不是数字；请给出小数文本，例如“0.001”。");
  });
});

test("warnings of a result are said by their codes, of several on an account with whose they are", () => {
  const words: Words = { code: "trades_missing", text: "3 trades are missing by their numbers", field: "", values: { trades: "3" } };
  const of = [{ warnings: [words.text, "new"], warning_words: [words, null], mark: "1. " }, { warnings: ["of an older build"] }];
  const shown = (language: Language) => {
    i18n.global.locale.value = language;
    return mount(WarningList, { global: { plugins: [i18n] }, props: { of } }).findAll("li").map((one) => one.text());
  };
  expect(shown("zh-CN")).toEqual(["1. 按编号缺少 3 笔成交", "1. new", "of an older build"]);
  expect(shown("en")).toEqual([`1. ${words.text}`, "1. new", "of an older build"]);
});

describe("a problem", () => {
  test("says what was wrong and what to do, each in the page's language", () => {
    const words: Words = { code: "account_has_no_key", text: "The account has no key; enter one first.", field: "", values: {} };
    expect(inPage("zh-CN", useWords).problem(answer({ words }))).toEqual({ what: "账户没有密钥", next: "请先输入。" });
    expect(inPage("en", useWords).problem(answer({ words, detail: words.text }))).toEqual({ what: words.text, next: "Mend it." });
  });
  test("has the next step of its status where the sentence has none", () => {
    const words: Words = { code: "no_account", text: "there is no account 7.", field: "", values: { account: "7" } };
    expect(inPage("zh-CN", useWords).problem(answer({ words }, 404))).toEqual({ what: "没有账户 7。", next: "请重新查看列表。" });
  });
  test("in words of others has the text of its kind, and theirs behind it", () => {
    const found = inPage("zh-CN", useWords).problem(answer({ code: "venue_refusal", detail: "-1121: Invalid symbol." }));
    expect(found).toEqual({ what: "交易所拒绝了查询（-1121: Invalid symbol.）", next: "请更正字段后重新提交。" });
  });
  test("of no answer, and of an answer of something else, is told as well", () => {
    const { problem } = inPage("zh-CN", useWords);
    expect(problem(toProblem(null, undefined)).what).toBe("节点没有响应。");
    expect(problem(toProblem("<html>", { status: 502 } as Response)).what).toBe("节点无法完成此操作。");
  });
  test("tells a field why it was refused", () => {
    const words: Words = { code: "input_greater_than", text: "Input should be greater than 0", field: "", values: { gt: "0" } };
    const problem = new Problem(422, "bad_fields", "", "", [{ field: "parameters.levels", reason: words.text, words }, { field: "parameters.size", reason: "no" }]);
    const told = (language: Language) => inPage(language, () => useErrors(() => problem, "parameters")).errors.value;
    expect(told("zh-CN")).toEqual({ levels: "须大于 0", size: "no" });
    expect(told("en")).toEqual({ levels: "Input should be greater than 0", size: "no" });
  });
});
