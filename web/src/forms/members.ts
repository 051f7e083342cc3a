/** Several strategies that share an account in one backtest: what each is, and what the node said against which of them. */
import type { Problem } from "@/api/problem";
import type { AccountDraft } from "./drafts";
import type { Values } from "./schema";
import { stretchOf, type Stretch } from "./stretch";

export interface Member {
  /** Stays with it while others come and go. */
  key: number;
  kind: string;
  stretch: Stretch;
  parameters: Values;
  /** Of the capital, where every one has its own. */
  share: string;
}
/** As many as the node takes. */
export const MOST_MEMBERS = 20;

export const memberOf = (key: number, history: number | undefined): Member => ({ key, kind: "grid", stretch: stretchOf(history, undefined), parameters: {}, share: "" });

/** Members of an earlier run; of a history that is gone, another has to be chosen. */
export function membersOf(draft: AccountDraft, known: ReadonlySet<number>): Member[] {
  return draft.members.map(({ kind, history, period, parameters, share }, key) => ({
    key, kind, parameters, share, stretch: stretchOf(history !== undefined && known.has(history) ? history : undefined, period),
  }));
}

const renamed = (problem: Problem | null | undefined, name: (field: string) => string | undefined) =>
  problem && { ...problem, errors: problem.errors.flatMap(({ field, reason }) => (name(field) === undefined ? [] : [{ field: name(field)!, reason }])) };

/** What was said against the one at this place, as if it were alone. */
export const problemOf = (problem: Problem | null | undefined, place: number) => {
  const prefix = `instances.${place}.`;
  return renamed(problem, (field) => (field.startsWith(prefix) ? field.slice(prefix.length) : undefined)) as Problem | null | undefined;
};
/** What was said of what all have in common, as if it had been asked for once. */
export const sharedProblem = (problem: Problem | null | undefined) =>
  renamed(problem, (field) => field.replace(/^instances\.\d+\.(?=assumptions)/, "")) as Problem | null | undefined;
