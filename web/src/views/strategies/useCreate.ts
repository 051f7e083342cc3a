import { useQuery } from "@pinia/colada";
import { ElMessage } from "element-plus";
import { computed, ref } from "vue";
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import { api } from "@/api/client";
import type { Strategy, StrategyCreate } from "@/api/types";
import { useKinds } from "@/composables/useKinds";
import type { StrategyDraft } from "@/forms/drafts";
import { useSubmit } from "@/composables/useSubmit";

/** What the dialog offers, and the sending of what it gives. */
export function useCreate() {
  const { t } = useI18n();
  const router = useRouter();
  const exchange = ref("");
  const { kinds, limitsSchema } = useKinds();
  const form = useSubmit<StrategyCreate, Strategy, StrategyDraft | undefined>((body) => api.createStrategy({ body }), { refresh: [["strategies"]], done });
  /** Forms that were filled in together, one after the other, and at which they are. */
  const series = ref<readonly StrategyDraft[]>([]);
  const place = ref(0);

  function begin(drafts: readonly StrategyDraft[] = []): void {
    [series.value, place.value] = [drafts, 0];
    form.open(drafts[0]);
  }
  function next(account?: number): void {
    place.value += 1;
    const draft = series.value[place.value];
    if (draft) form.open({ ...draft, account });
    else form.isOpen.value = false;
  }
  function done(made: Strategy): unknown {
    if (series.value.length < 2) return router.push(`/strategies/${made.id}`);
    ElMessage.success(t("create.made", { name: made.name }));
    return next(made.account_id);
  }

  const accounts = useQuery({ key: ["accounts", "choice"], query: () => api.listAccounts(), enabled: form.isOpen });
  const symbols = useQuery({
    key: () => ["symbols", exchange.value],
    query: () => api.listSymbols({ query: { exchange: exchange.value } }),
    enabled: () => exchange.value !== "",
  });

  return {
    exchange, form, begin, next,
    series: computed(() => (series.value.length < 2 ? undefined : { place: place.value + 1, count: series.value.length })),
    choices: computed(() => ({
      kinds: kinds.value,
      limitsSchema: limitsSchema.value,
      accounts: (accounts.data.value?.items ?? []).filter((account) => !account.disabled),
      symbols: symbols.data.value ?? [],
    })),
  };
}
