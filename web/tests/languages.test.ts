import { describe, expect, test } from "vitest";
import { chooseLanguage } from "@/i18n";
import { sources } from "./sources";

interface Tree {
  [key: string]: string | Tree;
}
const flat = (tree: Tree, prefix = ""): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) => (typeof value === "string" ? [[prefix + key, value] as [string, string]] : flat(value, `${prefix}${key}.`)));

const messages = (language: string) => new Map(flat(JSON.parse(sources(`i18n/${language}.json`)[0]!.text) as Tree));
const [english, chinese] = [messages("en"), messages("zh-CN")];
const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();
/** Words for what comes from the node in English already. */
const isTranslated = (key: string) => /^(kinds|told)\./.test(key);

describe("the two languages", () => {
  test("say the same things", () => {
    const own = [...chinese.keys()].filter((key) => !isTranslated(key) || english.has(key));
    expect(own.sort()).toEqual([...english.keys()].sort());
  });
  test("put the same names into their sentences", () => {
    const different = [...english].filter(([key, text]) => names(chinese.get(key) ?? "").join() !== names(text).join());
    expect(different).toEqual([]);
  });
  test("have every text that the page asks for", () => {
    const asked = sources("**/*.{vue,ts}").flatMap(({ text }) => [...text.matchAll(/\bt\("([\w.]+)"/g)].map((found) => found[1]!));
    expect(asked.length).toBeGreaterThan(100);
    expect(asked.filter((key) => !english.has(key))).toEqual([]);
  });
  test("leave no text in a template unsaid", () => {
    const loose = sources("**/*.vue").flatMap(({ path, text }) => {
      const template = text.slice(text.indexOf("<template>"), text.lastIndexOf("</template>")).replace(/\{\{[\s\S]*?\}\}|"[^"]*"|&nbsp;/g, "");
      return [...template.matchAll(/>([^<>{}]*[A-Za-z]{3,}[^<>{}]*)</g)].map((found) => `${path}: ${found[1]!.trim()}`);
    });
    expect(loose.filter((one) => !/: (Ares|ares login)$/.test(one))).toEqual([]);
  });
});

test("the browser's first language that is spoken here is chosen", () => {
  expect([["zh-TW"], ["fr", "zh"], ["de", "en-GB"], ["fr"], []].map((wishes) => chooseLanguage(wishes))).toEqual(["zh-CN", "zh-CN", "en", "en", "en"]);
});
