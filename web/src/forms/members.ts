/** Several strategies that share an account: what each is, and what the node said against which of them. */
import type { Problem } from "@/api/problem";
import { namesOf } from "./names";
import type { AccountDraft, AccountSearchDraft } from "./drafts";
import type { Values } from "./schema";
import { given, valuesIn } from "./space";
import { stretchOf, type Stretch } from "./stretch";

export interface Member {
  /** Stays with it while others come and go. */
  key: number;
  kind: string;
  stretch: Stretch;
  /** Of the capital, where every one has its own; of a search also several values. */
  share: string;
  /** Fees and how orders fill, where they are not those that hold for all. */
  own: Values | null;
}
export interface TestedMember extends Member {
  parameters: Values;
}
export interface SearchedMember extends Member {
  /** In front of its parameters. Empty: as its strategy is called. */
  name: string;
  /** What is tried of each parameter, in words. */
  space: Record<string, string>;
}
/** As many as the node takes. */
export const MOST_MEMBERS = 20;

const memberOf = (key: number, history: number | undefined): Member => ({ key, kind: "grid", stretch: stretchOf(history, undefined), share: "", own: null });
export const testedOf = (key: number, history: number | undefined): TestedMember => ({ ...memberOf(key, history), parameters: {} });
export const searchedOf = (key: number, history: number | undefined): SearchedMember => ({ ...memberOf(key, history), name: "", space: {} });

/** Of a history that is gone, another has to be chosen. */
const knownOf = ({ history, period }: Pick<AccountDraft["members"][number], "history" | "period">, known: ReadonlySet<number>) =>
  stretchOf(history !== undefined && known.has(history) ? history : undefined, period);

/** Members of an earlier run. */
export const testedFrom = (draft: AccountDraft, known: ReadonlySet<number>): TestedMember[] =>
  draft.members.map(({ history, period, ...rest }, key) => ({ ...rest, key, stretch: knownOf({ history, period }, known) }));
export const searchedFrom = (draft: AccountSearchDraft, known: ReadonlySet<number>): SearchedMember[] =>
  draft.members.map(({ history, period, ...rest }, key) => ({ ...rest, key, stretch: knownOf({ history, period }, known) }));

/** What is the same in every set, and what is tried, by the names of the instances; a share that is tried is among it. */
export function splitSpace(members: readonly SearchedMember[], hasShares: boolean) {
  const names = namesOf(members.map(({ name, kind }) => ({ name: name.trim(), strategy: kind })));
  const isTried = ([, words]: [string, string]) => valuesIn(words) !== 1;
  const parts = members.map(({ space, share }, at) => {
    const all = Object.entries(given(space));
    const shares: [string, string][] = hasShares ? [["quote", share.trim()]] : [];
    const tried = [...all, ...shares].filter(isTried).map(([name, words]) => [`${names[at]}.${name}`, words]);
    return { name: names[at]!, params: Object.fromEntries(all.filter((one) => !isTried(one))), share: hasShares && valuesIn(share) === 1 ? share.trim() : undefined, tried };
  });
  return { parts, space: Object.fromEntries(parts.flatMap(({ tried }) => tried)) as Record<string, string> };
}

const renamed = (problem: Problem | null | undefined, name: (field: string) => string | undefined): Problem | null | undefined =>
  problem && ({ ...problem, origin: problem.origin ?? problem, message: problem.message, errors: problem.errors.flatMap(({ field, ...rest }) => (name(field) === undefined ? [] : [{ field: name(field)!, ...rest }])) } as Problem);

/** What was said against the one at this place, as if it were alone; what is tried of it is called by its name. */
export const problemOf = (problem: Problem | null | undefined, place: number, called?: string) =>
  renamed(problem, (field) => {
    const [ofPlace, ofSpace] = [`instances.${place}.`, `space.${called}.`];
    if (field.startsWith(ofPlace)) return field.slice(ofPlace.length);
    if (called === undefined || !field.startsWith(ofSpace)) return undefined;
    return field === `${ofSpace}quote` ? "assumptions.quote" : `parameters.${field.slice(ofSpace.length)}`;
  });
/** What was said of what those have in common who have none of their own, as if it had been asked for once. */
export const sharedProblem = (problem: Problem | null | undefined, members: readonly Member[]) =>
  renamed(problem, (field) => {
    const found = /^instances\.(\d+)\.(assumptions\..*)$/.exec(field);
    if (!found) return field;
    return members[Number(found[1])]?.own ? undefined : found[2];
  });
