import { computed, ref, useTemplateRef, type Ref } from "vue";
import type { Problem } from "@/api/problem";
import type { History } from "@/api/types";
import { symbolOf } from "@/format/run";
import { FUTURES, ofAccount } from "./assumptions";
import type { AccountDraft } from "./drafts";
import { sharedProblem, type Member } from "./members";
import { initialValues } from "./schema";
import { marketOf, periodOf } from "./stretch";
import { useAssumptions } from "./useAssumptions";
import { useErrors } from "./useErrors";

interface Props {
  histories: History[];
  problem?: Problem | null;
}
const CAPITAL = [{ name: "capital", kind: "decimal" as const, title: "", help: "", isRequired: true, choices: [], initial: "", above: 0 }];

/** An account in a form: its capital, the strategies on it, and what is assumed of all that have nothing of their own. */
export function useAccount<One extends Member>(props: Props, given: readonly One[] | undefined, make: (key: number, history: number | undefined) => One, draft?: Omit<AccountDraft, "members">) {
  const members = ref([...(given ?? [make(0, props.histories[0]?.id), make(1, (props.histories[1] ?? props.histories[0])?.id)])]) as Ref<One[]>;
  let next = members.value.length;
  const capital = ref(draft?.capital ?? "10000");
  const isEqual = ref(draft?.isEqual ?? true);
  const parts = useTemplateRef<{ isGood: () => boolean }[]>("parts");
  const historyOf = ({ stretch }: Member) => props.histories.find((one) => one.id === stretch.history);
  /** Those that have no fees of their own. */
  const followers = computed(() => members.value.filter(({ own }) => own === null));
  /** A queue that holds for all needs trades of all. */
  const market = () => (followers.value.length > 0 && followers.value.every((one) => marketOf(one.stretch, historyOf(one)) === "trades") ? "trades" : "bars");
  /** Recorded fundings are of one symbol; where there are several, the rate is for all. */
  const symbol = computed(() => {
    const symbols = new Set(followers.value.map((one) => historyOf(one)?.symbol ?? ""));
    return symbols.size === 1 ? symbolOf([...symbols][0]!) : undefined;
  });
  const shared = computed(() => sharedProblem(props.problem, members.value));
  const assumed = useAssumptions({ problem: () => shared.value, market, symbol: () => symbol.value }, draft?.assumptions);
  const isOnFutures = computed({ get: () => assumed.futures.value !== null, set: (now) => (assumed.futures.value = now ? initialValues(FUTURES) : null) });
  const told = useErrors(() => props.problem);
  const common = computed(() => ofAccount(assumed.sent()));

  const add = () => (members.value = [...members.value, make(next++, props.histories[0]?.id)]);
  const remove = (key: number) => (members.value = members.value.filter((one) => one.key !== key));
  const change = (key: number, part: Partial<One>) => (members.value = members.value.map((one) => (one.key === key ? { ...one, ...part } : one)));

  /** Whether it can be sent; what is wrong is shown. */
  function isGood(): boolean {
    const isFine = [told.isGood(CAPITAL, { capital: capital.value }), followers.value.length === 0 || assumed.isGood(), ...(parts.value ?? []).map((one) => one.isGood())];
    return isFine.every(Boolean);
  }
  /** What is sent of every one, whatever it is asked for; its share where that is one amount. */
  const sent = (one: One, share?: string) => ({
    history_id: one.stretch.history, strategy: one.kind, period: periodOf(one.stretch, historyOf(one)?.bar_ms),
    assumptions: { ...(one.own ?? common.value), ...(share === undefined ? {} : { quote: share }) },
  });
  return {
    members, add, remove, change, capital, isEqual, isOnFutures, common, isGood, sent, errors: told.errors,
    assumed: { ...assumed, fields: computed(() => ofAccount(assumed.fields.value)), symbol, isWanted: computed(() => followers.value.length > 0) },
  };
}
