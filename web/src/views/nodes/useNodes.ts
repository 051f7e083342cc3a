import { useQuery } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";
import { computed } from "vue";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Node } from "@/api/types";

/** A node that has died says nothing more, so its silence is asked for. */
const REFRESH_MS = 3_000;

export function useNodes() {
  const query = useQuery<Node[], Problem>({ key: ["nodes"], query: () => api.listNodes() });
  useIntervalFn(() => void query.refetch(), REFRESH_MS);
  return {
    nodes: computed(() => query.data.value ?? []),
    loading: computed(() => query.data.value === undefined),
    error: query.error,
    retry: () => void query.refetch(),
  };
}
