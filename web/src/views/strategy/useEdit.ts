import { useMutation } from "@pinia/colada";
import { ElMessage } from "element-plus";
import { computed } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Preview, Strategy, StrategyEdit } from "@/api/types";
import { useKinds } from "@/composables/useKinds";
import { useSubmit } from "@/composables/useSubmit";

/** Editing while it runs: first what would change, then the change. */
export function useEdit(strategy: () => Strategy | undefined) {
  const { t } = useI18n();
  const { kinds, limitsSchema } = useKinds();
  const path = () => ({ strategy_id: strategy()!.id });

  const preview = useMutation<Preview, StrategyEdit, Problem>({ mutation: (body) => api.previewStrategy({ path: path(), body }) });
  const form = useSubmit<StrategyEdit, Strategy>((body) => api.updateStrategy({ path: path(), body }), {
    refresh: [["strategies"]], done: () => ElMessage.success(t("edit.done")),
  });

  return {
    isOpen: form.isOpen,
    kind: computed(() => kinds.value.find((one) => one.name === strategy()?.strategy_type)),
    limitsSchema,
    preview: preview.data,
    problem: computed(() => form.problem.value ?? preview.error.value),
    busy: computed(() => form.busy.value || preview.asyncStatus.value === "loading"),
    open: () => (preview.reset(), form.open()),
    forget: () => preview.reset(),
    ask: (body: StrategyEdit) => preview.mutate(body),
    save: form.submit,
  };
}
