/** The terms of copying as fields of a form: the same names, kinds and bounds as in the API's description, in groups of what they are for. */
import type { Relationship, RelationshipEdit } from "@/api/types";
import type { Field, FieldKind, Values } from "./schema";

export type TermGroup = "size" | "symbols" | "caps" | "price" | "ends";

const field = (name: string, kind: FieldKind, more: Partial<Field> = {}): Field => ({
  name, kind, title: name.replaceAll("_", " "), help: "", isRequired: false, choices: [], initial: undefined, ...more,
});
const money = (name: string) => field(name, "decimal", { above: 0, below: 1e15 });
const fraction = (name: string) => field(name, "decimal", { above: 0, maximum: 1 });
const DAY_MS = 86_400_000;

export const TERMS: Record<TermGroup, Field[]> = {
  size: [
    field("mode", "choice", { choices: ["fixed_ratio", "equity_proportional", "fixed_notional", "fractional_kelly"], initial: "fixed_ratio", isRequired: true }),
    field("follow_ratio", "decimal", { above: 0, maximum: 100, initial: "0.1", isRequired: true }),
    field("max_ratio", "decimal", { above: 0, maximum: 100 }),
    money("notional"),
    fraction("kelly_fraction"),
  ],
  caps: [money("max_notional"), money("max_symbol_notional"), field("max_leverage", "decimal", { above: 0, maximum: 125 })],
  symbols: [
    field("allow_symbols", "list", { initial: [] }),
    field("deny_symbols", "list", { initial: [] }),
    money("least_volume"),
    field("copy_existing", "boolean", { initial: false }),
    field("reverse", "boolean", { initial: false }),
  ],
  price: [
    fraction("slippage_collar"),
    field("max_entry_delay_ms", "integer", { minimum: 1, maximum: DAY_MS }),
    field("delay_ms", "integer", { minimum: 0, maximum: DAY_MS, initial: 0 }),
  ],
  ends: [
    fraction("stop_loss"),
    field("take_profit", "decimal", { above: 0, maximum: 100 }),
    money("total_stop_loss"),
    money("total_take_profit"),
    field("on_stop", "choice", { choices: ["keep", "close", "hand_over"], initial: "keep" }),
  ],
};
/** Sizes that only one mode, or two, look at. */
const MODES: Record<string, readonly string[]> = {
  follow_ratio: ["fixed_ratio", "equity_proportional"],
  max_ratio: ["fixed_ratio", "equity_proportional"],
  notional: ["fixed_notional"],
  kelly_fraction: ["fractional_kelly"],
};

/** The fields of a group that mean something in this mode; what the mode stands on has to be given. */
export function termsOf(group: TermGroup, mode: unknown): Field[] {
  const shown = TERMS[group].filter(({ name }) => MODES[name]?.includes(String(mode)) ?? true);
  return shown.map((one) => (one.name === "notional" || one.name === "kelly_fraction" ? { ...one, isRequired: true } : one));
}

export const shownTerms = (values: Values): Field[] => (Object.keys(TERMS) as TermGroup[]).flatMap((group) => termsOf(group, values.mode));

/** An edit: only what was changed, so that nothing is agreed to anew that nobody looked at. An emptied field takes its limit away. */
export function changedTerms(before: Relationship, values: Values): Omit<RelationshipEdit, "revision"> {
  const told: Values = { ...before };
  const changes = shownTerms(values).flatMap((one) => {
    const value = cleared(one, values[one.name]);
    return JSON.stringify(value) === JSON.stringify(cleared(one, told[one.name])) ? [] : [[one.name, value] as const];
  });
  return Object.fromEntries(changes);
}

function cleared({ kind, initial }: Field, value: unknown): unknown {
  if (kind === "list") return [...((value ?? []) as string[])].sort();
  return value === "" || value === undefined || value === null ? (kind === "integer" ? (initial ?? null) : null) : value;
}
