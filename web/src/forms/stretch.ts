/** Which part of a history, as a person says it and as the node takes it. */
import type { BacktestDraft } from "./drafts";

export interface Stretch {
  history: number | undefined;
  /** Null: bars as long as they are kept. */
  barMs: number | null;
  /** Days in UTC, both included; empty: from the beginning, to the end. */
  from: string;
  to: string;
}
const DAY_MS = 86_400_000;
const dayOf = (iso: string | null | undefined, shift = 0) => (iso ? new Date(Date.parse(iso) + shift).toISOString().slice(0, 10) : "");

/** What is sent: the last day is in it, so it ends where the next begins. */
export function periodOf({ barMs, from, to }: Stretch, kept: number | undefined) {
  return {
    ...(from ? { since: `${from}T00:00:00Z` } : {}),
    ...(to ? { until: new Date(Date.parse(`${to}T00:00:00Z`) + DAY_MS).toISOString() } : {}),
    ...(barMs !== null && barMs !== kept ? { bar_ms: barMs } : {}),
  };
}

export const stretchOf = (history: number | undefined, period: BacktestDraft["period"]): Stretch => ({
  history, barMs: period?.bar_ms ?? null, from: dayOf(period?.since), to: dayOf(period?.until, -1),
});
