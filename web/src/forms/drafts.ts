/** Forms that are filled in already. */
import type { Values } from "./schema";

export interface StrategyDraft {
  kind: string;
  symbol: string;
  interval: string;
  parameters: Values;
}
export interface BacktestDraft {
  kind: string;
  history?: number;
  period?: { since: string | null; until: string | null; bar_ms: number | null; walk_trades?: boolean };
  parameters: Values;
  assumptions?: Values;
}
