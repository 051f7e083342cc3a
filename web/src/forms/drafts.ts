/** Forms that are filled in already. */
import type { AccountJob } from "@/api/runs";
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
export interface AccountDraft {
  capital: string;
  isEqual: boolean;
  members: (BacktestDraft & { share: string })[];
  assumptions: Values;
}

/** The same account again; fees and the rest were asked for once, and stand with every instance. */
export function accountDraftOf(job: AccountJob): AccountDraft {
  const members = job.instances.map(({ history_id: history, strategy: kind, params, period, assumptions }) => (
    { kind, history, period, parameters: params ?? {}, share: job.is_equal ? "" : String(assumptions.quote ?? "") }
  ));
  return { capital: job.capital, isEqual: job.is_equal, members, assumptions: job.instances[0]?.assumptions ?? {} };
}
