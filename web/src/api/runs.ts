/** What a backtest and an optimisation have found; the API hands it on as its workers wrote it. */
import type { RunDetail, Words } from "./types";

export type RunKind = "backtest" | "optimisation" | "together";
/** Money is decimal text, a ratio a number, and what cannot be formed is null. */
export type Figure = string | number | null;
/** Milliseconds, equity, buying and holding, percent below the high. */
export type Point = [time: number, equity: string, hold: string, fall: string];

export interface BacktestResult {
  symbol: string;
  base: string;
  quote: string;
  bars: number;
  bar_ms: number;
  first_at: string;
  last_at: string;
  metrics: Record<string, Figure>;
  warnings: string[];
  /** The same by code and values; not there in a result of an older build. */
  warning_words?: (Words | null)[];
  equity: Point[];
  fills_kept: number;
}
/** Of one that shares an account: without its curve. */
export interface InstanceResult extends Omit<BacktestResult, "equity"> {
  strategy: string;
  /** What it began with, in the quote asset. */
  capital: string;
  stamp?: Record<string, unknown>;
}
export interface TogetherResult {
  quote: string;
  metrics: Record<string, Figure>;
  /** Whether the node's ledger proves that the parts add up. */
  adds_up: boolean;
  first_at: string;
  last_at: string;
  equity: Point[];
  fills_kept: number;
  instances: InstanceResult[];
}
export interface Luck {
  trials: number;
  periods: number;
  sharpe: number | null;
  expected_by_luck: number | null;
  deflated_sharpe: number | null;
  overfitting: number | null;
  verdict: "edge" | "unclear" | "luck" | "unknown";
}
export interface Trial {
  number: number;
  params: Record<string, string>;
  values: Record<string, Figure>;
}
/** What one instance of an account had of a set. */
export interface Share {
  name: string;
  capital: string;
  net: string;
  fees: string;
  return_percent: number | null;
  max_drawdown_percent: number | null;
  fills: number;
  sales: number;
  /** Of the account's net. */
  part_percent: number | null;
}
export interface Best extends Trial {
  luck: Luck;
  plateau: number | null;
  /** Of several on an account. */
  shares?: Share[];
}
export interface Heatmap {
  x: string;
  y: string;
  x_values: string[];
  y_values: string[];
  cells: (number | null)[][];
}
export interface Fold {
  name: string;
  params: Record<string, string>;
  sharpe_seen: number | null;
  sharpe_unseen: number | null;
  return_percent_unseen: number | null;
}
export interface Validation {
  method: string;
  folds: Fold[];
  sharpe_unseen: number | null;
  share_positive: number | null;
}
export interface OptimisationResult {
  /** Of one alone. */
  symbol?: string;
  base?: string;
  /** Of several on an account. */
  capital?: string;
  instances?: { name: string; strategy: string; symbol: string; base: string; bars: number; bar_ms: number }[];
  quote: string;
  bars: number;
  bar_ms: number;
  period_ms: number;
  objectives: string[];
  counts: { tried: number; refused: number; allowed: number };
  best: Best[];
  robust: Best | null;
  ranking: Trial[];
  heatmaps: Heatmap[];
  validation: Validation | null;
  warnings: string[];
  /** The same by code and values; not there in a result of an older build. */
  warning_words?: (Words | null)[];
}
/** What was asked; an older run may have been asked for less. */
export interface Job {
  /** Of several on an account `together`, and what is assumed is nothing: each has its own. */
  strategy: string;
  params?: Record<string, unknown>;
  space?: Record<string, string>;
  objectives?: string[];
  conditions?: string[];
  period?: { since: string | null; until: string | null; bar_ms: number | null; walk_trades?: boolean };
  assumptions: Record<string, unknown>;
  /** Of several on an account. */
  instances?: InstanceJob[];
  capital?: string;
  [setting: string]: unknown;
}
export interface InstanceJob extends Job {
  name?: string;
  history_id: number;
}
export interface AccountJob {
  capital: string;
  is_equal: boolean;
  instances: InstanceJob[];
}

/** A search among the parameters of several on an account. */
export interface AccountSearchJob extends Job, AccountJob {
  capital: string;
  instances: InstanceJob[];
}

/** What was asked of each; a share that is equal, or was searched for, is not that of its assumptions, and no base asset is shared. */
export const instanceJobsOf = ({ instances, is_equal, space = {} }: AccountJob & Pick<Job, "space">): InstanceJob[] =>
  instances.map((one) => {
    const { quote, base, ...rest } = one.assumptions;
    const isGiven = !is_equal && !(`${one.name}.quote` in space);
    return { ...one, assumptions: { ...(isGiven ? { quote } : {}), ...(base === "0" ? {} : { base }), ...rest } };
  });
export const isAccountSearch = (job: Job): job is AccountSearchJob => Array.isArray(job.instances);
export const accountJobOf = (run: RunDetail): AccountJob => run.job as unknown as AccountJob;
export const jobOf = (run: RunDetail): Job => ({ strategy: run.strategy, assumptions: {}, ...run.job });
/** Null until it is done; a result of a build before this page has no currency and is not shown. */
export const backtestOf = (run: RunDetail): BacktestResult | null => (run.result && "fills_kept" in run.result ? (run.result as unknown as BacktestResult) : null);
export const togetherOf = (run: RunDetail): TogetherResult | null => (run.result && "adds_up" in run.result ? (run.result as unknown as TogetherResult) : null);
export const optimisationOf = (run: RunDetail): OptimisationResult | null => (run.result && "bar_ms" in run.result ? (run.result as unknown as OptimisationResult) : null);
