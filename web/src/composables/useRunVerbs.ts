import { useQueryCache } from "@pinia/colada";
import { ElMessage, ElMessageBox } from "element-plus";
import { ref } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { RunKind } from "@/api/runs";
import type { Run } from "@/api/types";
import { showProblem } from "./useVerbs";
import { useWords } from "@/i18n/words";

export type RunVerb = "cancel" | "remove";
const SEND = {
  together: {
    cancel: (id: number) => api.cancelAccountBacktest({ path: { account_backtest_id: id } }) as Promise<unknown>,
    remove: (id: number) => api.deleteAccountBacktest({ path: { account_backtest_id: id } }) as Promise<unknown>,
  },
  backtest: {
    cancel: (id: number) => api.cancelBacktest({ path: { backtest_id: id } }) as Promise<unknown>,
    remove: (id: number) => api.deleteBacktest({ path: { backtest_id: id } }) as Promise<unknown>,
  },
  optimisation: {
    cancel: (id: number) => api.cancelOptimisation({ path: { optimisation_id: id } }) as Promise<unknown>,
    remove: (id: number) => api.deleteOptimisation({ path: { optimisation_id: id } }) as Promise<unknown>,
  },
};

/** Cancelling and removing runs; a removal is asked about, because what was found goes with it. */
export function useRunVerbs(kind: RunKind, { removed }: { removed?: () => unknown } = {}) {
  const { t } = useI18n();
  const words = useWords();
  const cache = useQueryCache();
  const busy = ref(new Set<number>());

  async function run(verb: RunVerb, one: Run): Promise<void> {
    const name = t(`runs.kinds.${kind}`, { id: one.id });
    const options = { confirmButtonText: t(`runs.verbs.${verb}.do`), cancelButtonText: t("runs.verbs.keep"), confirmButtonType: "danger" as const };
    const agreed = await ElMessageBox.confirm(t(`runs.verbs.${verb}.what`), name, options).then(() => true, () => false);
    if (!agreed) return;
    busy.value.add(one.id);
    try {
      await SEND[kind][verb](one.id);
      ElMessage.success(t(`runs.verbs.${verb}.done`, { name }));
      if (verb === "remove") await removed?.();
    } catch (error) {
      showProblem(error, words.problem);
    } finally {
      busy.value.delete(one.id);
      await cache.invalidateQueries({ key: ["runs", kind] });
    }
  }
  return { run, busy };
}
