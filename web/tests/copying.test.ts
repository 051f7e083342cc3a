import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Relationship } from "@/api/types";
import { check } from "@/forms/check";
import { fieldsOf } from "@/forms/schema";
import { changedTerms, shownTerms, TERMS, termsOf } from "@/forms/terms";
import { followName, followVerbs } from "@/format/copying";

const description = JSON.parse(readFileSync(fileURLToPath(new URL("../openapi.json", import.meta.url)), "utf8")) as { components: { schemas: Record<string, object> } };
const told = new Map(fieldsOf(description.components.schemas.RelationshipEdit as Record<string, unknown>).map((one) => [one.name, one]));
const fields = Object.values(TERMS).flat();

test("the form asks for every term that the node takes, as the node takes it", () => {
  expect(fields.map((one) => one.name).sort()).toEqual([...told.keys()].filter((name) => name !== "revision").sort());
  for (const one of fields) {
    const { kind, choices, minimum, maximum, above, below } = told.get(one.name)!;
    expect({ name: one.name, kind: one.kind, choices: one.choices, minimum: one.minimum, maximum: one.maximum, above: one.above, below: one.below }).toEqual({
      name: one.name, kind, choices, minimum, maximum, above, below,
    });
  }
});

const relationship = {
  id: 3, mode: "fixed_ratio", follow_ratio: "0.1", max_ratio: null, notional: null, kelly_fraction: null, allow_symbols: ["BTCUSDT"], deny_symbols: [], max_symbol_notional: null,
  max_notional: "9000", max_leverage: null, slippage_collar: null, max_entry_delay_ms: null, delay_ms: 0, stop_loss: null, take_profit: null, total_stop_loss: null,
  total_take_profit: null, copy_existing: false, on_stop: "keep", reverse: false, revision: 2,
} as unknown as Relationship;

describe("an edit of terms", () => {
  const edited = (changes: object) => changedTerms(relationship, { ...relationship, ...changes });
  test("tells nothing that was not changed", () => expect(edited({})).toEqual({}));
  test("takes a limit away where its field was emptied", () => expect(edited({ max_notional: "" })).toEqual({ max_notional: null }));
  test("takes a deliberate delay away as none", () => expect(edited({ delay_ms: "" })).toEqual({}));
  test("tells what was written", () => {
    expect(edited({ follow_ratio: "0.25", allow_symbols: ["ETHUSDT", "BTCUSDT"], reverse: true })).toEqual({ follow_ratio: "0.25", allow_symbols: ["BTCUSDT", "ETHUSDT"], reverse: true });
  });
  test("tells no size of a mode that is not chosen", () => {
    expect(edited({ mode: "fixed_notional", notional: "500", follow_ratio: "0.3" })).toEqual({ mode: "fixed_notional", notional: "500" });
  });
});

test("a mode asks for what it stands on, and for nothing of the others", () => {
  expect(termsOf("size", "fixed_ratio").map((one) => one.name)).toEqual(["mode", "follow_ratio", "max_ratio"]);
  expect(check(shownTerms({ mode: "fixed_notional" }), { mode: "fixed_notional" })).toEqual({ notional: "missing" });
  expect(check(shownTerms({ mode: "fixed_ratio" }), { mode: "fixed_ratio", follow_ratio: "101" })).toEqual({ follow_ratio: "outOfBounds" });
});

test.each([
  ["following", "following", "following", ["pause", "resync", "stop"]],
  ["paused", "following", "pausing", ["resume", "stop"]],
  ["stopped", "following", "stopping", ["start"]],
  ["following", "error", "error", ["pause", "resync", "stop"]],
] as const)("wished %s and being %s is %s", (desired_state, state, name, verbs) => {
  expect(followName({ desired_state, state })).toBe(name);
  expect(followVerbs({ desired_state })).toEqual(verbs);
});
