import { ESLint } from "eslint";
import { describe, expect, test } from "vitest";
import { sources } from "./sources";

const views = [...new Set(sources("views/*/*.*").map(({ path }) => path.split("/")[1]!))];

describe("a view", () => {
  test.each(views)("%s is a folder of an index, a page, its composable and parts", (view) => {
    const files = sources(`views/${view}/*.*`).map(({ path }) => path.split("/").at(-1)!);
    expect(files).toEqual(expect.arrayContaining(["index.vue", "page.ts"]));
    expect(files.filter((file) => /^use[A-Z]\w*\.ts$/.test(file))).not.toEqual([]);
    expect(files.filter((file) => !/^(index\.vue|page\.ts|use[A-Z]\w*\.ts)$/.test(file))).toEqual([]);
  });

  test.each(views)("%s has a loading, an empty, an error and a data face wherever it waits", (view) => {
    const uses = sources(`views/${view}/**/*.vue`).flatMap(({ text }) => [...text.matchAll(/<AsyncFaces[^>]*>/g)].map((found) => found[0]));
    expect(uses).not.toEqual([]);
    for (const use of uses) expect(use).toMatch(/:loading=[\s\S]*:error=[\s\S]*:empty=[\s\S]*@retry=/);
  });
});

// What must not be written, where, and the rule that finds it.
const PLANTED: [string, string, string][] = [
  ["src/views/nodes/useNodes.ts", 'export const load = () => fetch("/api/nodes");', "no-restricted-globals"],
  ["src/stores/live.ts", 'export const open = () => new EventSource("/api/events");', "no-restricted-globals"],
  ["src/components/StateTag.vue", '<script setup lang="ts">\nimport { useLive } from "@/stores/live";\nuseLive();\n</script>', "no-restricted-imports"],
  ["src/views/nodes/parts/NodeLoad.vue", '<script setup lang="ts">\nimport { api } from "@/api/client";\napi.listNodes();\n</script>', "no-restricted-imports"],
  ["src/views/nodes/useNodes.ts", 'export { listNodes } from "@/api/generated";', "no-restricted-imports"],
  ["src/views/strategy/useStrategy.ts", "export const sum = (pnl: { equity: string; fees: string }) => Number(pnl.equity) - Number(pnl.fees);", "no-restricted-syntax"],
  ["src/format/money.ts", "export const toFloat = (value: string) => parseFloat(value);", "no-restricted-syntax"],
  ["src/format/money.ts", "export const one = 1;\n".repeat(251), "max-lines"],
  ["src/components/StateTag.vue", `<template>\n${"<p />\n".repeat(200)}</template>`, "max-lines"],
];

describe("the linter finds", () => {
  const linter = new ESLint();
  test.each(PLANTED)("in %s: %.60s (%#)", async (filePath, text, rule) => {
    const [result] = await linter.lintText(text, { filePath });
    expect(result!.messages.map((message) => message.ruleId)).toContain(rule);
  }, 30_000);
});
