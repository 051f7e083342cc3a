import { useQuery } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";
import { computed, ref } from "vue";
import { useRouter } from "vue-router";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import { accountJobOf, togetherOf } from "@/api/runs";
import type { Run, RunDetail, RunFill } from "@/api/types";
import { useKinds } from "@/composables/useKinds";
import { usePages } from "@/composables/usePages";
import { accountDraftOf, strategyDraftsOf } from "@/forms/drafts";
import { isOpen } from "@/format/run";
import { useDraft } from "@/stores/draft";

const PAGE = 15;
const OTHERS = 100;
const RENEW_MS = 5_000;

/** One backtest of several strategies on an account: what was asked and found, what was executed, another one beside it. */
export function useTogether(id: () => number) {
  const router = useRouter();
  useKinds(); // parameters are called as their strategies call them
  const drafts = useDraft();
  const other = ref<number>();
  const load = (number: number) => api.getAccountBacktest({ path: { account_backtest_id: number } });

  const one = useQuery<RunDetail, Problem>({ key: () => ["runs", "together", id()], query: () => load(id()) });
  useIntervalFn(() => one.data.value && isOpen(one.data.value) && void one.refetch(), RENEW_MS);
  const others = useQuery<Run[], Problem>({ key: ["runs", "together", "choice"], query: async () => (await api.listAccountBacktests({ query: { limit: OTHERS } })).items });
  const beside = useQuery<RunDetail, Problem>({ key: () => ["runs", "together", other.value ?? 0], query: () => load(other.value!), enabled: () => other.value !== undefined });
  const fills = usePages<RunFill>(["runs", "together", "fills"], () => ({ id: String(id()), is: one.data.value?.state ?? "" }), async (cursor, { id: number, is }) =>
    is === "done" ? api.listAccountBacktestFills({ path: { account_backtest_id: Number(number) }, query: { cursor, limit: PAGE } }) : { items: [] },
  );
  const job = computed(() => one.data.value && accountJobOf(one.data.value));

  function again(): void {
    if (!job.value) return;
    drafts.hand("account", accountDraftOf(job.value));
    void router.push("/research");
  }
  function trade(): void {
    const result = one.data.value && togetherOf(one.data.value);
    if (!job.value || !result) return;
    drafts.hand("strategies", strategyDraftsOf(job.value, result));
    void router.push("/strategies");
  }
  return {
    run: one.data, error: one.error, loading: computed(() => one.data.value === undefined), retry: () => void one.refetch(),
    result: computed(() => one.data.value && togetherOf(one.data.value)), job, fills, other, again, trade,
    beside: computed(() => (other.value === undefined ? undefined : beside.data.value)),
    others: computed(() => (others.data.value ?? []).filter((each) => each.state === "done" && each.id !== id())),
  };
}
