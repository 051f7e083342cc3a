import { useMutation, useQueryCache } from "@pinia/colada";
import { ElMessage, ElMessageBox } from "element-plus";
import { computed, ref } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { MasterPositionSet, Relationship, RelationshipCreate } from "@/api/types";
import { showProblem } from "@/composables/useVerbs";
import { formatExact } from "@/format/money";
import type { FollowVerb } from "@/format/copying";

const SEND = {
  start: api.startRelationship, pause: api.pauseRelationship, resume: api.resumeRelationship,
  stop: api.stopRelationship, resync: api.resyncRelationship,
};
export type Dialog = "follow" | "position";

/** What a person does about copying: follow, enter a position, and the verbs of a relationship. */
export function useFollow() {
  const { t } = useI18n();
  const cache = useQueryCache();
  const dialog = ref<Dialog>();
  const busy = ref(new Set<number>());
  const refresh = () => cache.invalidateQueries({ key: ["copying"] });
  const done = async () => {
    dialog.value = undefined;
    await refresh();
  };
  const follow = useMutation<unknown, RelationshipCreate, Problem>({ mutation: (body) => api.createRelationship({ body }), onSuccess: done });
  const enter = useMutation<unknown, MasterPositionSet, Problem>({ mutation: (body) => api.setMasterPosition({ body }), onSuccess: done });

  async function consequence(verb: FollowVerb, one: Relationship): Promise<string> {
    const money = one.paper ? "" : ` ${t("verbs.realMoney")}`;
    if (verb !== "resync") return t(`copying.verbs.${verb}.what`, { onStop: t(`copying.onStop.${one.on_stop}`) }) + money;
    const { steps } = await api.previewResync({ path: { relationship_id: one.id } });
    const changes = steps.filter((step) => step.change !== "0").map((step) => `${step.symbol} ${formatExact(step.held)} → ${formatExact(step.target)}`);
    return `${t("copying.verbs.resync.what")} ${changes.join(", ") || t("copying.noChange")}${money}`;
  }

  async function run(verb: FollowVerb, one: Relationship): Promise<void> {
    const name = `${one.account_name} ← ${one.master_name}`;
    busy.value.add(one.id);
    try {
      const words = await consequence(verb, one);
      const options = { confirmButtonText: t(`copying.verbs.${verb}.do`), cancelButtonText: t("cancel") };
      const isAgreed = await ElMessageBox.confirm(words, name, options).then(() => true, () => false);
      if (!isAgreed) return;
      await SEND[verb]({ path: { relationship_id: one.id }, headers: { "Idempotency-Key": crypto.randomUUID() } });
      ElMessage.success(t("copying.sent", { verb: t(`copying.verbs.${verb}.do`), name }));
    } catch (error) {
      showProblem(error, t("errors.unreachable"));
    } finally {
      busy.value.delete(one.id);
      await refresh();
    }
  }
  function open(which: Dialog): void {
    follow.reset();
    enter.reset();
    dialog.value = which;
  }
  return {
    dialog, busy, open, run,
    follow: (body: RelationshipCreate) => follow.mutate(body),
    enter: (body: MasterPositionSet) => enter.mutate(body),
    followProblem: follow.error,
    enterProblem: enter.error,
    sending: computed(() => follow.asyncStatus.value === "loading" || enter.asyncStatus.value === "loading"),
  };
}
