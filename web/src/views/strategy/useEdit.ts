import { useMutation, useQueryCache } from "@pinia/colada";
import { ElMessage } from "element-plus";
import { computed, ref } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Preview, Strategy, StrategyEdit } from "@/api/types";
import { useKinds } from "@/composables/useKinds";

/** Editing while it runs: first what would change, then the change. */
export function useEdit(strategy: () => Strategy | undefined) {
  const { t } = useI18n();
  const cache = useQueryCache();
  const isOpen = ref(false);
  const { kinds, limitsSchema } = useKinds();
  const path = () => ({ strategy_id: strategy()!.id });

  const preview = useMutation<Preview, StrategyEdit, Problem>({ mutation: (body) => api.previewStrategy({ path: path(), body }) });
  const send = useMutation<Strategy, StrategyEdit, Problem>({
    mutation: (body) => api.updateStrategy({ path: path(), body }),
    onSuccess() {
      isOpen.value = false;
      ElMessage.success(t("edit.done"));
    },
    onSettled: () => cache.invalidateQueries({ key: ["strategies"] }),
  });

  return {
    isOpen,
    kind: computed(() => kinds.value.find((one) => one.name === strategy()?.strategy_type)),
    limitsSchema,
    preview: preview.data,
    problem: computed(() => send.error.value ?? preview.error.value),
    busy: computed(() => [send, preview].some((one) => one.asyncStatus.value === "loading")),
    open: () => (preview.reset(), send.reset(), (isOpen.value = true)),
    forget: () => preview.reset(),
    ask: (body: StrategyEdit) => preview.mutate(body),
    save: (body: StrategyEdit) => send.mutate(body),
  };
}
