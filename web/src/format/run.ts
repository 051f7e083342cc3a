/** Runs in words and tones: how far one is, what its figures are, which bars it took. */
import type { Figure, RunKind } from "@/api/runs";
import type { Run } from "@/api/types";
import { formatAmount, formatExact } from "./money";
import type { Tone } from "./state";

export const RUN_TONES: Record<Run["state"], Tone> = { queued: "warn", running: "warn", done: "good", failed: "bad", cancelled: "soft" };
export const VERDICT_TONES: Record<string, Tone> = { edge: "good", unclear: "warn", luck: "bad", unknown: "soft" };
export const isOpen = ({ state }: Pick<Run, "state">): boolean => state === "queued" || state === "running";

/** Figures in groups of what they say; those that this page does not know stand in the last. */
export const FIGURE_GROUPS = {
  result: ["capital", "unallocated", "net", "gross", "fees", "realised", "unrealised", "funding", "equity", "cycle_profit"],
  yield: ["return_percent", "buy_and_hold_percent", "cagr_percent", "sharpe", "sortino", "calmar"],
  risk: ["max_drawdown_percent", "max_drawdown_days", "exposure_percent"],
  trades: ["fills", "sales", "win_rate_percent", "profit_factor", "expectancy", "turnover", "refused_orders", "held_back"],
} as const;
/** Where the page of a run is, and the node's list of them. */
export const RUN_PATHS: Record<RunKind, string> = { backtest: "backtests", together: "account-backtests", optimisation: "optimisations" };
export type FigureGroup = keyof typeof FIGURE_GROUPS;
export const GROUPS = Object.keys(FIGURE_GROUPS) as FigureGroup[];
const KNOWN: readonly string[] = Object.values(FIGURE_GROUPS).flat();

/** The names of a group's figures that are there. */
export function namesOf(group: FigureGroup, figures: Record<string, Figure>): string[] {
  const others = group === "trades" ? Object.keys(figures).filter((name) => !KNOWN.includes(name)) : [];
  return [...FIGURE_GROUPS[group].filter((name) => name in figures), ...others];
}

/** Gains and losses, which are shown with their sign. */
export const SIGNED: readonly string[] = ["net", "gross", "realised", "unrealised", "cycle_profit", "expectancy", "return_percent", "buy_and_hold_percent", "cagr_percent", "excess_percent"];

/** A figure as it is shown: money by its digits, a ratio with two places, a count whole, a dash for what cannot be formed. */
export function formatFigure(name: string, value: Figure | undefined): string {
  if (value === null || value === undefined) return "—";
  if (typeof value === "string") return formatAmount(value, 2);
  const text = Number.isInteger(value) && !/percent|sharpe|sortino|calmar|factor/.test(name) ? formatExact(String(value)) : formatAmount(value.toFixed(2), 2);
  return name.endsWith("_percent") ? `${text} %` : text;
}

/** How far a run is, as a share of 1; undefined until it is known how much there is to do. */
export const progressOf = ({ done, total }: Pick<Run, "done" | "total">): number | undefined => (total > 0 ? done / total : undefined);

const MINUTE = 60_000;
export const LENGTHS: Record<string, number> = {
  "1s": 1_000, "1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE, "1h": 60 * MINUTE, "2h": 120 * MINUTE, "4h": 240 * MINUTE,
  "6h": 360 * MINUTE, "8h": 480 * MINUTE, "12h": 720 * MINUTE, "1d": 1_440 * MINUTE, "3d": 4_320 * MINUTE, "1w": 10_080 * MINUTE,
};
/** 3_600_000 -> "1h". */
export const intervalOf = (barMs: number): string => Object.entries(LENGTHS).find(([, length]) => length === barMs)?.[0] ?? `${barMs} ms`;
/** The length of the history's own bars, and the longer ones that can be made of them. */
export const lengthsFrom = (barMs: number): number[] => [barMs, ...Object.values(LENGTHS).filter((length) => length > barMs && length % barMs === 0)];

/** Whether a history holds trades one by one instead of bars. */
export const isOfTrades = (history: { bar_ms: number }): boolean => history.bar_ms === 1;

/** "BTC/USDT" as a venue writes it. */
export const symbolOf = (symbol: string): string => symbol.replace("/", "");
