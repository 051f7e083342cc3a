import { computed, ref, watch } from "vue";
import { useI18n } from "vue-i18n";
import type { Problem } from "@/api/problem";
import { SEARCH, searchFields } from "./assumptions";
import type { SearchDraft } from "./drafts";
import { initialValues, toSend } from "./schema";
import { useErrors } from "./useErrors";

/** One comparison of two names or numbers. */
const CONDITION = /^[\w.+-]+\s*(<=|>=|<|>)\s*[\w.+-]+$/;

/** How a search goes about it: by which figures, on which conditions, by which method. */
export function useSearch(problem: () => Problem | null | undefined, draft?: SearchDraft) {
  const { t } = useI18n();
  // Which way is better is known of every figure.
  const objectives = ref((draft?.objectives ?? ["sharpe"]).map((one) => one.replace(/^(min|max):/, "")));
  const conditions = ref((draft?.conditions ?? []).join("\n"));
  const settings = ref(initialValues(SEARCH, draft?.settings));
  const wrongLine = ref<number>();
  const shown = computed(() => searchFields(settings.value));
  /** Only one method weighs several against one another. */
  const isMany = computed(() => settings.value.method === "nsga");
  const told = useErrors(problem);
  const lines = () => conditions.value.split("\n").map((one) => one.trim()).filter(Boolean);

  watch(isMany, (many) => (objectives.value = many ? ["return_percent", "max_drawdown_percent"] : ["sharpe"]));

  const errors = computed(() => ({ ...told.errors.value, ...(wrongLine.value === undefined ? {} : { conditions: t("runs.conditionsWrong", { number: wrongLine.value }) }) }));

  function isGood(): boolean {
    const at = lines().findIndex((one) => !CONDITION.test(one));
    wrongLine.value = at < 0 ? undefined : at + 1;
    return told.isGood(shown.value, settings.value) && at < 0 && objectives.value.length > 0;
  }
  const sent = () => ({ objectives: objectives.value, conditions: lines(), ...toSend(Object.fromEntries(shown.value.map(({ name }) => [name, settings.value[name]]))) });
  return { objectives, conditions, settings, shown, isMany, errors, isGood, sent };
}
