import { computed } from "vue";
import type { Problem } from "@/api/problem";

interface Asked<Item> {
  data: { value: Item[] | undefined };
  error: { value: Problem | null };
  refetch: () => unknown;
}

/** A list that comes in one answer, with the faces of a view that waits for it. */
export function useList<Item>(query: Asked<Item>) {
  return {
    items: computed(() => query.data.value ?? []),
    loading: computed(() => query.data.value === undefined),
    error: computed(() => query.error.value),
    retry: () => void query.refetch(),
  };
}
