import { useQuery } from "@pinia/colada";
import { ElMessage } from "element-plus";
import { computed, ref } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Drift, Relationship, RelationshipEdit, TrackingStep, TradeLog } from "@/api/types";
import { useList } from "@/composables/useList";
import { usePages } from "@/composables/usePages";
import { useSubmit } from "@/composables/useSubmit";
import { statusOf, type LogFilter } from "@/format/copying";

/** One relationship: its terms and their edit, how far it is off, what that has cost, and what became of every signal. */
export function useRelationship(id: () => number) {
  const { t } = useI18n();
  const status = ref<LogFilter>("all");
  const path = () => ({ relationship_id: id() });

  const one = useQuery<Relationship, Problem>({ key: () => ["copying", "relationship", id()], query: () => api.getRelationship({ path: path() }) });
  const drifts = useQuery<Drift[], Problem>({
    key: () => ["copying", "drift", id()], query: async () => (await api.getRelationshipDrift({ path: path() })).items,
  });
  const ledger = usePages<TrackingStep>(["copying", "tracking", id()], {}, (cursor) => api.listTrackingErrors({ path: path(), query: { cursor, limit: 15 } }));
  const logs = usePages<TradeLog>(["copying", "logs", id()], () => ({ status: status.value }), (cursor, filter) =>
    api.listTradeLogs({ query: { cursor, limit: 15, relationship_id: id(), status: statusOf(filter.status) } }),
  );
  const editing = useSubmit<RelationshipEdit>(
    (body) => api.updateRelationship({ path: path(), body, headers: { "Idempotency-Key": crypto.randomUUID() } }),
    { refresh: [["copying"]], done: () => ElMessage.success(t("copying.edit.done")) },
  );
  return {
    relationship: one.data,
    error: one.error,
    loading: computed(() => one.data.value === undefined),
    retry: () => void one.refetch(),
    drifts: useList(drifts), ledger, logs, status, editing,
  };
}
