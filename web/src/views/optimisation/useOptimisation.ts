import { useQuery } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";
import { computed } from "vue";
import { useRouter } from "vue-router";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import { isAccountSearch, jobOf, optimisationOf } from "@/api/runs";
import type { RunDetail } from "@/api/types";
import { useKinds } from "@/composables/useKinds";
import { intervalOf, isOpen, symbolOf } from "@/format/run";
import { accountDraftWith, accountSearchDraftOf, optimisationDraftOf, strategyDraftsWith } from "@/forms/drafts";
import type { Values } from "@/forms/schema";
import { useDraft } from "@/stores/draft";

const RENEW_MS = 5_000;

/** One optimisation, and the forms that one of its sets fills in. */
export function useOptimisation(id: () => number) {
  const router = useRouter();
  useKinds(); // parameters are called as their strategies call them
  const drafts = useDraft();
  const one = useQuery<RunDetail, Problem>({
    key: () => ["runs", "optimisation", id()], query: () => api.getOptimisation({ path: { optimisation_id: id() } }),
  });
  useIntervalFn(() => one.data.value && isOpen(one.data.value) && void one.refetch(), RENEW_MS);
  const result = computed(() => one.data.value && optimisationOf(one.data.value));
  const job = computed(() => one.data.value && jobOf(one.data.value));

  function trade(parameters: Values): void {
    if (!job.value || !result.value) return;
    const { symbol = "", bar_ms } = result.value;
    drafts.hand("strategies", isAccountSearch(job.value) ? strategyDraftsWith(job.value, parameters, result.value) : [{ kind: job.value.strategy, symbol: symbolOf(symbol), interval: intervalOf(bar_ms), parameters }]);
    void router.push("/strategies");
  }
  function test(parameters: Values): void {
    if (!job.value || !one.data.value) return;
    if (isAccountSearch(job.value)) drafts.hand("account", accountDraftWith(job.value, parameters));
    else drafts.hand("backtest", { kind: job.value.strategy, history: one.data.value.history_id, period: job.value.period, parameters, assumptions: job.value.assumptions as Values });
    void router.push("/research");
  }
  function again(): void {
    if (!job.value || !one.data.value) return;
    if (isAccountSearch(job.value)) drafts.hand("accountSearch", accountSearchDraftOf(job.value));
    else drafts.hand("optimisation", optimisationDraftOf(job.value, one.data.value.history_id));
    void router.push("/research");
  }
  return { run: one.data, error: one.error, loading: computed(() => one.data.value === undefined), retry: () => void one.refetch(), result, job, trade, test, again };
}
