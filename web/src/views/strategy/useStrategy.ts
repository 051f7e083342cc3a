import { useQuery, useQueryCache } from "@pinia/colada";
import { useIntervalFn, useThrottleFn } from "@vueuse/core";
import { computed, watch } from "vue";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Pnl, Strategy } from "@/api/types";
import { RENEW_MS, useLiveStrategies } from "@/composables/useLiveStrategies";
import { useLive } from "@/stores/live";

const PNL_MS = 2_000;

/** One strategy and its results: loaded once, laid over with what the stream tells. */
export function useStrategy(id: () => number) {
  const cache = useQueryCache();
  const live = useLive();
  const { overlay, settled } = useLiveStrategies();
  const path = () => ({ strategy_id: id() });

  const one = useQuery<Strategy, Problem>({
    key: () => ["strategies", "one", id()],
    query: () => settled(() => api.getStrategy({ path: path() }), (answer) => [answer.id]),
  });
  useIntervalFn(() => void one.refetch(), RENEW_MS);
  const pnl = useQuery<Pnl, Problem>({ key: () => ["results", id(), "pnl"], query: () => api.getStrategyPnl({ path: path() }) });
  const equity = useQuery({ key: () => ["results", id(), "equity"], query: () => api.getStrategyEquity({ path: path() }) });

  // The sum is shown as the node has added it up, all of one moment: it is asked for again, never put together here.
  const renew = useThrottleFn(() => void cache.invalidateQueries({ key: ["results", id(), "pnl"] }), PNL_MS, true);
  watch(() => live.statuses.get(id())?.status?.equity, () => void renew());

  const strategy = computed(() => one.data.value && overlay(one.data.value));
  return {
    strategy,
    error: one.error,
    loading: computed(() => one.data.value === undefined),
    pnl: pnl.data,
    pnlError: pnl.error,
    equity: computed(() => equity.data.value?.items ?? []),
    retry: () => void one.refetch(),
    retryPnl: () => void pnl.refetch(),
  };
}
