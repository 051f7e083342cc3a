import { useQuery, useQueryCache } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";
import { ElMessage, ElMessageBox } from "element-plus";
import { computed, ref } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { History, HistoryImport, HistoryImportCreate } from "@/api/types";
import { isOnItsWay } from "@/format/history";
import { useSubmit } from "./useSubmit";
import { showProblem } from "./useVerbs";
import { useWords } from "@/i18n/words";

const MOST = 500;
const RENEW_MS = 2_000;

export interface Upload {
  body: HistoryImportCreate;
  file: File;
}

/** Bars that runs may use, those on their way in, and the sending of a file, part by part. */
export function useHistories() {
  const { t } = useI18n();
  const words = useWords();
  const cache = useQueryCache();
  const histories = useQuery<History[], Problem>({ key: ["histories"], query: async () => (await api.listHistories({ query: { limit: MOST } })).items });
  const asked = useQuery<HistoryImport[], Problem>({ key: ["histories", "imports"], query: async () => (await api.listHistoryImports({ query: { limit: MOST } })).items });
  /** What has become a history is in the other list. */
  const imports = computed(() => (asked.data.value ?? []).filter(({ state }) => state !== "done"));
  const refresh = () => cache.invalidateQueries({ key: ["histories"] });
  // Its end is told by the stream, how far it is is not.
  useIntervalFn(() => imports.value.some(isOnItsWay) && void refresh(), RENEW_MS);

  const sent = ref(0);
  const upload = useSubmit<Upload, HistoryImport>(send, { refresh: [["histories"]] });

  async function send({ body, file }: Upload): Promise<HistoryImport> {
    sent.value = 0;
    let made = await api.createHistoryImport({ body });
    try {
      for (let part = 0; part * made.part_bytes < file.size; part += 1) {
        const end = Math.min((part + 1) * made.part_bytes, file.size);
        made = await api.putHistoryImportPart({ path: { import_id: made.id, part }, body: file.slice(part * made.part_bytes, end) });
        sent.value = end / file.size;
      }
    } catch (error) {
      // What has come so far is of no use to anybody; the node drops it by itself, should this not arrive either.
      await api.deleteHistoryImport({ path: { import_id: made.id } }).catch(() => undefined);
      throw error;
    }
    return made;
  }
  async function remove(one: History): Promise<void> {
    const options = { confirmButtonText: t("histories.remove"), cancelButtonText: t("runs.verbs.keep"), confirmButtonType: "danger" as const };
    const agreed = await ElMessageBox.confirm(t("histories.removeWhat"), one.name, options).then(() => true, () => false);
    if (agreed) await done(api.deleteHistory({ path: { history_id: one.id } }), t("histories.removed", { name: one.name }));
  }
  const dismiss = (one: HistoryImport) => done(api.deleteHistoryImport({ path: { import_id: one.id } }), t("histories.dismissed", { name: one.name }));
  async function done(asking: Promise<unknown>, success: string): Promise<void> {
    try {
      await asking;
      ElMessage.success(success);
    } catch (error) {
      showProblem(error, words.problem);
    } finally {
      await refresh();
    }
  }
  return { histories, imports, upload, sent, remove, dismiss };
}
