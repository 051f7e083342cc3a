import { useQuery, useQueryCache } from "@pinia/colada";
import { ElMessage, ElMessageBox } from "element-plus";
import { computed, ref } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Relationship, ResyncPreview } from "@/api/types";
import type { FollowVerb } from "@/format/copying";
import { useSubmit } from "./useSubmit";
import { showProblem } from "./useVerbs";
import { useWords } from "@/i18n/words";

const SEND = { start: api.startRelationship, pause: api.pauseRelationship, resume: api.resumeRelationship, stop: api.stopRelationship };
const nameOf = (one: Relationship) => `${one.account_name} ← ${one.master_name}`;
const addressed = (one: Relationship) => ({ path: { relationship_id: one.id }, headers: { "Idempotency-Key": crypto.randomUUID() } });

/** The verbs of a relationship: each says what it will do and asks first; a resync shows what would be traded. */
export function useFollowVerbs() {
  const { t } = useI18n();
  const words = useWords();
  const cache = useQueryCache();
  const busy = ref(new Set<number>());
  const sent = (verb: FollowVerb, one: Relationship) =>
    ElMessage.success(t("copying.sent", { verb: t(`copying.verbs.${verb}.do`), name: nameOf(one) }));

  const resync = useSubmit<undefined, unknown, Relationship>((_, one) => api.resyncRelationship(addressed(one)), {
    refresh: [["copying"]], done: (_, one) => sent("resync", one),
  });
  const preview = useQuery<ResyncPreview, Problem>({
    key: () => ["copying", "resync", resync.subject.value?.id ?? 0],
    query: () => api.previewResync({ path: { relationship_id: resync.subject.value!.id } }),
    enabled: () => resync.isOpen.value,
  });

  async function isAgreed(verb: keyof typeof SEND, one: Relationship): Promise<boolean> {
    const words = t(`copying.verbs.${verb}.what`, { onStop: t(`copying.onStop.${one.on_stop}`) });
    const options = { confirmButtonText: t(`copying.verbs.${verb}.do`), cancelButtonText: t("cancel") };
    return ElMessageBox.confirm(one.paper ? words : `${words} ${t("verbs.realMoney")}`, nameOf(one), options).then(() => true, () => false);
  }

  async function run(verb: FollowVerb, one: Relationship): Promise<void> {
    if (verb === "resync") return resync.open(one);
    if (!(await isAgreed(verb, one))) return;
    busy.value.add(one.id);
    try {
      await SEND[verb](addressed(one));
      sent(verb, one);
    } catch (error) {
      showProblem(error, words.problem);
    } finally {
      busy.value.delete(one.id);
      await cache.invalidateQueries({ key: ["copying"] });
    }
  }
  return {
    run, busy, resync,
    preview: { data: preview.data, error: preview.error, loading: computed(() => preview.data.value === undefined), retry: () => void preview.refetch() },
  };
}
