/** What a backtest assumes, and how a search goes about it, as fields of a form: names, kinds and bounds as in the API's description. */
import type { Field, FieldKind, Values } from "./schema";

const field = (name: string, kind: FieldKind, initial: unknown, more: Partial<Field> = {}): Field => ({
  name, kind, title: name.replaceAll("_", " "), help: "", isRequired: false, choices: [], initial, ...more,
});
const choice = (name: string, choices: string[]) => field(name, "choice", choices[0], { choices });

export const ASSUMPTIONS: Field[] = [
  field("quote", "decimal", "10000", { minimum: 0 }),
  field("base", "decimal", "0", { minimum: 0 }),
  field("maker_fee", "decimal", "0.1", { minimum: 0, below: 100 }),
  field("taker_fee", "decimal", "0.1", { minimum: 0, below: 100 }),
  choice("fee_asset", ["received", "quote"]),
  choice("fill_model", ["touch", "through", "queue"]),
  choice("bar_model", ["path", "next_bar"]),
  field("latency_ms", "integer", 0, { minimum: 0, maximum: 3_600_000 }),
  field("slippage_ticks", "integer", 0, { minimum: 0, maximum: 1_000_000 }),
  choice("runtime", ["auto", "compiled", "interpreted"]),
];
/** A futures account instead of one on spot: it holds the quote asset alone, and pays its fees in it. */
export const FUTURES: Field[] = [
  field("leverage", "integer", 1, { minimum: 1, maximum: 125 }),
  field("maintenance_percent", "decimal", "0.4", { minimum: 0, below: 100 }),
  field("liquidation_fee_percent", "decimal", "1.25", { minimum: 0, below: 100 }),
  field("funding_percent", "decimal", "0.01", { minimum: -100, maximum: 100 }),
  field("funding_hours", "integer", 8, { minimum: 1, maximum: 24 }),
];
/** What stands in front of an order that begins to rest, where the market is its trades. */
export const QUEUE: Field[] = [
  field("ahead", "decimal", "0", { minimum: 0 }),
  field("share_percent", "decimal", "0", { minimum: 0, maximum: 10_000 }),
  field("share_ms", "integer", 60_000, { minimum: 1, maximum: 86_400_000 }),
  field("cancelled_percent", "decimal", "0", { minimum: 0, maximum: 10_000 }),
  field("whole_beyond", "boolean", false),
  choice("cancellations", ["behind", "shared", "ahead"]),
];
const SPOT = ["base", "fee_asset"];
/** What the market of a run is: bars, bars made of trades, or trades that are walked one by one. */
export type Market = "bars" | "trades";

/** Queues are of trades alone, and how bars are read means nothing there. */
export function assumptionFields(isOnFutures: boolean, market: Market): Field[] {
  const known = ASSUMPTIONS.filter(({ name }) => (!isOnFutures || !SPOT.includes(name)) && (market === "bars" || name !== "bar_model"));
  return known.map((one) => (one.name === "fill_model" && market === "bars" ? { ...one, choices: one.choices.filter((model) => model !== "queue") } : one));
}
/** Each of several on an account has its share of the capital, and no base of its own. */
const OF_ONE = ["quote", "base"];
export function ofAccount<Of extends Field[] | Values>(of: Of): Of {
  if (Array.isArray(of)) return of.filter(({ name }) => !OF_ONE.includes(name)) as Of;
  return Object.fromEntries(Object.entries(of).filter(([name]) => !OF_ONE.includes(name))) as Of;
}
export const SEARCH: Field[] = [
  choice("method", ["exhaustive", "random", "tpe", "nsga"]),
  field("trials", "integer", 200, { minimum: 1, maximum: 200_000 }),
  field("population", "integer", 50, { minimum: 2, maximum: 10_000 }),
  field("seed", "integer", 1, { minimum: 0, below: 2 ** 32 }),
  choice("validation", ["none", "walk_forward", "purged"]),
  field("folds", "integer", 5, { minimum: 2, maximum: 50 }),
  field("embargo_bars", "integer", 0, { minimum: 0, maximum: 1_000_000 }),
];
/** Capital and fees stand open, the rest is folded away. */
export const FIRST = ["quote", "maker_fee", "taker_fee"];

/** The settings that mean something with these choices. */
export function searchFields({ method, validation }: Values): Field[] {
  const hidden = [
    ...(method === "exhaustive" ? ["trials", "seed"] : []),
    ...(method === "tpe" || method === "nsga" ? [] : ["population"]),
    ...(validation === "none" ? ["folds"] : []),
    ...(validation === "purged" ? [] : ["embargo_bars"]),
  ];
  return SEARCH.filter(({ name }) => !hidden.includes(name));
}
