import { useQuery } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";
import { computed, ref } from "vue";
import { useRouter } from "vue-router";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import { backtestOf, jobOf } from "@/api/runs";
import type { Run, RunDetail, RunFill } from "@/api/types";
import { usePages } from "@/composables/usePages";
import { useKinds } from "@/composables/useKinds";
import { intervalOf, isOpen, symbolOf } from "@/format/run";
import type { Values } from "@/forms/schema";
import { useDraft } from "@/stores/draft";

const PAGE = 15;
const OTHERS = 100;
const RENEW_MS = 5_000;

/** One backtest: what was asked and found, its executions, another one beside it, and the forms that it fills in. */
export function useBacktest(id: () => number) {
  const router = useRouter();
  useKinds(); // parameters are called as their strategies call them
  const drafts = useDraft();
  const other = ref<number>();

  const one = useQuery<RunDetail, Problem>({ key: () => ["runs", "backtest", id()], query: () => api.getBacktest({ path: { backtest_id: id() } }) });
  useIntervalFn(() => one.data.value && isOpen(one.data.value) && void one.refetch(), RENEW_MS);
  const result = computed(() => one.data.value && backtestOf(one.data.value));
  const others = useQuery<Run[], Problem>({
    key: ["runs", "backtest", "choice"], query: async () => (await api.listBacktests({ query: { limit: OTHERS } })).items,
  });
  const beside = useQuery<RunDetail, Problem>({
    key: () => ["runs", "backtest", other.value ?? 0], query: () => api.getBacktest({ path: { backtest_id: other.value! } }), enabled: () => other.value !== undefined,
  });
  const fills = usePages<RunFill>(["runs", "backtest", "fills"], () => ({ id: String(id()), is: one.data.value?.state ?? "" }), async (cursor, { id: number, is }) =>
    is === "done" ? api.listBacktestFills({ path: { backtest_id: Number(number) }, query: { cursor, limit: PAGE } }) : { items: [] },
  );
  const job = computed(() => one.data.value && jobOf(one.data.value));

  function again(): void {
    if (!one.data.value || !job.value) return;
    const { strategy, params = {}, period, assumptions } = job.value;
    drafts.hand("backtest", { kind: strategy, history: one.data.value.history_id, period, parameters: params as Values, assumptions: assumptions as Values });
    void router.push("/research");
  }
  function trade(): void {
    if (!job.value || !result.value) return;
    drafts.hand("strategies", [{ kind: job.value.strategy, symbol: symbolOf(result.value.symbol), interval: intervalOf(result.value.bar_ms), parameters: (job.value.params ?? {}) as Values }]);
    void router.push("/strategies");
  }
  return {
    run: one.data, error: one.error, loading: computed(() => one.data.value === undefined), retry: () => void one.refetch(),
    result, job, fills, other, again, trade,
    beside: computed(() => (other.value === undefined ? undefined : beside.data.value)),
    others: computed(() => (others.data.value ?? []).filter((each) => each.state === "done" && each.id !== id())),
  };
}
