import { useQuery } from "@pinia/colada";
import { computed, ref, watch, type MaybeRefOrGetter, toValue } from "vue";
import type { Problem } from "@/api/problem";

export interface Page<Item> {
  items: Item[];
  next_cursor?: string | null;
}

/** A list that the node gives page by page. A change of the filter begins at the first page again. */
export function usePages<Item>(
  name: readonly (string | number)[],
  filter: MaybeRefOrGetter<Record<string, string>>,
  load: (cursor: string | undefined, filter: Record<string, string>) => Promise<Page<Item>>,
) {
  const cursors = ref<string[]>([]);
  watch(() => JSON.stringify(toValue(filter)), () => (cursors.value = []));

  const query = useQuery<Page<Item>, Problem>({
    key: () => [...name, toValue(filter), cursors.value.at(-1) ?? ""],
    query: () => load(cursors.value.at(-1), toValue(filter)),
    placeholderData: (previous) => previous,
  });
  const next = computed(() => query.data.value?.next_cursor ?? "");

  return {
    items: computed<Item[]>(() => query.data.value?.items ?? []),
    error: query.error,
    loading: computed(() => query.data.value === undefined),
    page: computed(() => cursors.value.length + 1),
    hasNext: computed(() => next.value !== ""),
    forward: () => cursors.value.push(next.value),
    back: () => cursors.value.pop(),
    retry: () => void query.refetch(),
  };
}
