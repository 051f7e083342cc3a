import { useQuery } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";
import { computed } from "vue";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { ModelAnswer, Strategy } from "@/api/types";

/** It changes with a bar at the most. */
const RENEW_MS = 15_000;

/** What a strategy has learned; asked for only of one that learns. Freezing is an edit like any other. */
export function useModel(strategy: () => Strategy | undefined, learns: () => boolean) {
  const model = useQuery<ModelAnswer, Problem>({
    key: () => ["model", strategy()?.id ?? 0, strategy()?.revision ?? 0],
    query: () => api.getStrategyModel({ path: { strategy_id: strategy()!.id } }),
    enabled: () => learns() && strategy() !== undefined,
  });
  useIntervalFn(() => void (learns() && model.refetch()), RENEW_MS);
  return {
    model: model.data,
    error: model.error,
    loading: computed(() => model.data.value === undefined),
    retry: () => void model.refetch(),
    /** The edit that freezes it, or lets it learn again. */
    turned: (one: Strategy) => ({ revision: one.revision, parameters: { ...one.parameters, is_frozen: !model.data.value?.is_frozen } }),
  };
}
