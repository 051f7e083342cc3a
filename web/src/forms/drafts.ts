/** Forms that are filled in already. */
import type { AccountJob, AccountSearchJob, InstanceJob, Job, OptimisationResult, TogetherResult } from "@/api/runs";
import { intervalOf, symbolOf } from "@/format/run";
import { ofAccount, SEARCH } from "./assumptions";
import type { Values } from "./schema";

export interface StrategyDraft {
  name?: string;
  kind: string;
  symbol: string;
  interval: string;
  parameters: Values;
  limits?: Values;
  account?: number;
}
type Period = NonNullable<Job["period"]>;
export interface BacktestDraft {
  kind: string;
  history?: number;
  period?: Period;
  parameters: Values;
  assumptions?: Values;
}
/** How a search goes about it. */
export interface SearchDraft {
  objectives: string[];
  conditions: string[];
  settings: Values;
}
export interface OptimisationDraft extends SearchDraft {
  kind: string;
  history?: number;
  period?: Period;
  space: Record<string, string>;
  assumptions: Values;
}
interface MemberDraft {
  kind: string;
  history?: number;
  period?: Period;
  share: string;
  own: Values | null;
}
export interface AccountDraft {
  capital: string;
  isEqual: boolean;
  members: (MemberDraft & { parameters: Values })[];
  /** Of all that have none of their own. */
  assumptions: Values;
}
export interface AccountSearchDraft extends Omit<AccountDraft, "members">, SearchDraft {
  members: (MemberDraft & { name: string; space: Record<string, string> })[];
}

/** What most instances have in common, and of each what is its own, or nothing. */
export function sharedOf(instances: readonly InstanceJob[]): { common: Values; own: (Values | null)[] } {
  const all = instances.map(({ assumptions }) => ofAccount(assumptions));
  const texts = all.map((one) => JSON.stringify(one));
  const count = (text: string) => texts.filter((one) => one === text).length;
  const most = texts.reduce((best, text, at) => (count(text) > count(texts[best]!) ? at : best), 0);
  return { common: all[most] ?? {}, own: all.map((one, at) => (texts[at] === texts[most] ? null : one)) };
}

const accountOf = ({ capital, is_equal, instances }: AccountJob) => {
  const { common, own } = sharedOf(instances);
  const members = instances.map(({ history_id: history, strategy: kind, period, assumptions }, at) => (
    { kind, history, period, share: is_equal ? "" : String(assumptions.quote ?? ""), own: own[at] ?? null }
  ));
  return { account: { capital, isEqual: is_equal, assumptions: common }, members };
};
/** The same account again. */
export function accountDraftOf(job: AccountJob): AccountDraft {
  const { account, members } = accountOf(job);
  return { ...account, members: members.map((one, at) => ({ ...one, parameters: job.instances[at]!.params ?? {} })) };
}

/** What a set says of an instance: its parameters by their own names, and its share where that was searched for. */
export function partOf(chosen: Readonly<Record<string, unknown>>, { name = "", params = {} }: InstanceJob): { parameters: Values; share?: string } {
  const found = Object.entries(chosen).flatMap(([key, value]) => (key.startsWith(`${name}.`) ? [[key.slice(name.length + 1), value] as const] : []));
  const { quote, ...parameters } = Object.fromEntries(found);
  return { parameters: { ...params, ...parameters }, ...(quote === undefined ? {} : { share: String(quote) }) };
}
/** A backtest of the account with one of the sets that were found. */
export function accountDraftWith(job: AccountSearchJob, chosen: Readonly<Record<string, unknown>>): AccountDraft {
  const { account, members } = accountOf(job);
  return { ...account, members: members.map((one, at) => ({ ...one, ...partOf(chosen, job.instances[at]!) })) };
}
/** Each strategy with its part of a set; what it owned there, it owns. */
export function strategyDraftsWith(job: AccountSearchJob, chosen: Readonly<Record<string, unknown>>, { instances = [], best, quote }: OptimisationResult): StrategyDraft[] {
  /** Equal shares are the same in every set. */
  const given = (at: number) => (job.is_equal ? best[0]?.shares?.[at]?.capital : job.instances[at]!.assumptions.quote);
  return job.instances.map((one, at) => {
    const { parameters, share = given(at) } = partOf(chosen, one);
    const { symbol, bar_ms } = instances[at] ?? { symbol: "", bar_ms: 60_000 };
    return { name: one.name, kind: one.strategy, symbol: symbolOf(symbol), interval: intervalOf(bar_ms), parameters, limits: share ? { capital: { [quote]: String(share) } } : undefined };
  });
}

/** Each strategy of an account as it was tested, with what it owned. */
export const strategyDraftsOf = (job: AccountJob, { instances, quote }: TogetherResult): StrategyDraft[] =>
  job.instances.map(({ strategy: kind, params: parameters = {} }, at) => {
    const { symbol, bar_ms, capital } = instances[at]!;
    return { kind, symbol: symbolOf(symbol), interval: intervalOf(bar_ms), parameters, limits: { capital: { [quote]: capital } } };
  });

const searchOf = (job: Job): SearchDraft => ({
  objectives: job.objectives ?? ["sharpe"], conditions: job.conditions ?? [], settings: Object.fromEntries(SEARCH.flatMap(({ name }) => (job[name] === undefined ? [] : [[name, job[name]]]))),
});
const texts = (values: Values): Record<string, string> =>
  Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (["string", "number", "boolean"].includes(typeof value) ? [[name, String(value)]] : [])));

/** The same search again. */
export const optimisationDraftOf = (job: Job, history: number): OptimisationDraft =>
  ({ ...searchOf(job), kind: job.strategy, history, period: job.period, space: job.space ?? {}, assumptions: job.assumptions });
export function accountSearchDraftOf(job: AccountSearchJob): AccountSearchDraft {
  const { account, members } = accountOf(job);
  return {
    ...account, ...searchOf(job),
    members: members.map((one, at) => {
      const { parameters, share = one.share } = partOf(job.space ?? {}, job.instances[at]!);
      return { ...one, share, name: job.instances[at]!.name ?? "", space: texts(parameters) };
    }),
  };
}
