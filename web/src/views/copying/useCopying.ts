import { useQuery } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";
import { ref } from "vue";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Account, Drift, MasterPosition, MasterResult, Relationship, Strategy, TradeLog } from "@/api/types";
import { useList } from "@/composables/useList";
import { usePages } from "@/composables/usePages";
import { statusOf, type LogFilter } from "@/format/copying";

const MOST = 500;
/** Results are kept hourly, so that it is asked for seldom. */
const LEADERBOARD_MS = 60_000;

/** Masters and their record, relationships, how far they are off, and what became of every signal. */
export function useCopying() {
  const status = ref<LogFilter>("all");
  const ranked = useQuery<MasterResult[], Problem>({ key: ["leaderboard"], query: async () => (await api.getMasterLeaderboard()).items });
  useIntervalFn(() => void ranked.refetch(), LEADERBOARD_MS);
  const positions = useQuery<MasterPosition[], Problem>({
    key: ["copying", "positions"], query: async () => (await api.listMasterPositions({ query: { limit: MOST } })).items,
  });
  const accounts = useQuery<Account[], Problem>({
    key: ["accounts", "all"], query: async () => (await api.listAccounts({ query: { limit: MOST } })).items,
  });
  const strategies = useQuery<Strategy[], Problem>({
    key: ["strategies", "all"], query: async () => (await api.listStrategies({ query: { limit: MOST } })).items,
  });
  const relationships = usePages<Relationship>(["copying", "relationships"], {}, (cursor) =>
    api.listRelationships({ query: { cursor, limit: 50 } }),
  );
  const drifts = useQuery<Drift[], Problem>({ key: ["copying", "drift"], query: async () => (await api.listDrift()).items });
  const logs = usePages<TradeLog>(["copying", "logs"], () => ({ status: status.value }), (cursor, filter) =>
    api.listTradeLogs({ query: { cursor, limit: 25, status: statusOf(filter.status) } }),
  );
  const lists = { masters: useList(ranked), positions: useList(positions), accounts: useList(accounts), strategies: useList(strategies), drifts: useList(drifts) };
  return { status, relationships, logs, ...lists };
}
