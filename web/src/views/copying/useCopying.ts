import { useQuery, useQueryCache } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";
import { computed, ref } from "vue";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Account, Drift, MasterPosition, MasterResult, Relationship, TradeLog } from "@/api/types";
import { usePages } from "@/composables/usePages";

/** What workers change without an event of their own is asked for. */
const REFRESH_MS = 5_000;
const MOST = 500;

/** Masters and their record, relationships, how far they are off, and what became of every signal. */
export function useCopying() {
  const cache = useQueryCache();
  const status = ref<TradeLog["status"] | "all">("all");
  const masters = useQuery<MasterResult[], Problem>({
    key: ["copying", "masters"], query: async () => (await api.getMasterLeaderboard()).items,
  });
  const positions = useQuery<MasterPosition[], Problem>({
    key: ["copying", "positions"], query: async () => (await api.listMasterPositions({ query: { limit: MOST } })).items,
  });
  const accounts = useQuery<Account[], Problem>({
    key: ["accounts", "all"], query: async () => (await api.listAccounts({ query: { limit: MOST } })).items,
  });
  const relationships = usePages<Relationship>(["copying", "relationships"], {}, (cursor) =>
    api.listRelationships({ query: { cursor, limit: 50 } }),
  );
  const drifts = useQuery<Drift[], Problem>({ key: ["copying", "drift"], query: async () => (await api.listDrift()).items });
  const logs = usePages<TradeLog>(["copying", "logs"], () => ({ status: status.value }), (cursor, filter) =>
    api.listTradeLogs({ query: { cursor, limit: 25, ...(filter.status === "all" ? {} : { status: filter.status as TradeLog["status"] }) } }),
  );
  useIntervalFn(() => void cache.invalidateQueries({ key: ["copying"] }), REFRESH_MS);

  const face = <Item>(query: { data: { value: Item[] | undefined }; error: { value: Problem | null }; refetch: () => unknown }) => ({
    items: computed(() => query.data.value ?? []),
    loading: computed(() => query.data.value === undefined),
    error: computed(() => query.error.value),
    retry: () => void query.refetch(),
  });
  return { status, masters: face(masters), positions: face(positions), accounts: face(accounts), relationships, drifts: face(drifts), logs };
}
