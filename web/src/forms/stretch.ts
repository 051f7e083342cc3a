/** Which part of a history, as a person says it and as the node takes it. */
import type { History } from "@/api/types";
import { isOfTrades } from "@/format/run";
import type { Market } from "./assumptions";
import type { BacktestDraft } from "./drafts";

export interface Stretch {
  history: number | undefined;
  /** Null: bars as long as they are kept. */
  barMs: number | null;
  /** Days in UTC, both included; empty: from the beginning, to the end. */
  from: string;
  to: string;
  /** Of trades of which bars are made: within a bar the price goes from trade to trade. */
  walk: boolean;
}
/** What a run walks: one trade after the other, or bars. */
export const marketOf = ({ barMs, walk }: Stretch, history: Pick<History, "bar_ms"> | undefined): Market =>
  history && isOfTrades(history) && (walk || barMs === null || barMs === history.bar_ms) ? "trades" : "bars";

const DAY_MS = 86_400_000;
const dayOf = (iso: string | null | undefined, shift = 0) => (iso ? new Date(Date.parse(iso) + shift).toISOString().slice(0, 10) : "");

/** What is sent: the last day is in it, so it ends where the next begins. */
export function periodOf({ barMs, from, to, walk }: Stretch, kept: number | undefined) {
  const isLonger = barMs !== null && barMs !== kept;
  return {
    ...(from ? { since: `${from}T00:00:00Z` } : {}),
    ...(to ? { until: new Date(Date.parse(`${to}T00:00:00Z`) + DAY_MS).toISOString() } : {}),
    ...(isLonger ? { bar_ms: barMs } : {}),
    ...(isLonger && walk && kept !== undefined && isOfTrades({ bar_ms: kept }) ? { walk_trades: true } : {}),
  };
}

export const stretchOf = (history: number | undefined, period: BacktestDraft["period"]): Stretch => ({
  history, barMs: period?.bar_ms ?? null, from: dayOf(period?.since), to: dayOf(period?.until, -1), walk: period?.walk_trades ?? true,
});
