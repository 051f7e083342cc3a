import { useQuery } from "@pinia/colada";
import { computed } from "vue";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { StrategyKind } from "@/api/types";
import { learnTitles } from "@/i18n/words";

async function load(): Promise<StrategyKind[]> {
  const kinds = await api.listStrategyKinds();
  learnTitles(kinds);
  return kinds;
}

/** What kinds of strategy there are, and what a limit looks like: the same until the node is renewed. */
export function useKinds() {
  const kinds = useQuery<StrategyKind[], Problem>({ key: ["kinds"], query: load, staleTime: Infinity });
  const limits = useQuery({ key: ["limits-schema"], query: () => api.getRiskLimitsSchema(), staleTime: Infinity });
  return {
    kinds: computed(() => kinds.data.value ?? []),
    limitsSchema: computed(() => (limits.data.value ?? {}) as Record<string, unknown>),
  };
}
