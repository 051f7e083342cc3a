import { useQuery } from "@pinia/colada";
import { computed, ref } from "vue";
import { useRouter } from "vue-router";
import { api } from "@/api/client";
import type { Strategy, StrategyCreate } from "@/api/types";
import { useKinds } from "@/composables/useKinds";
import type { StrategyDraft } from "@/forms/drafts";
import { useSubmit } from "@/composables/useSubmit";

/** What the dialog offers, and the sending of what it gives. */
export function useCreate() {
  const router = useRouter();
  const exchange = ref("");
  const { kinds, limitsSchema } = useKinds();
  const form = useSubmit<StrategyCreate, Strategy, StrategyDraft | undefined>((body) => api.createStrategy({ body }), {
    refresh: [["strategies"]], done: (made) => router.push(`/strategies/${made.id}`),
  });

  const accounts = useQuery({ key: ["accounts", "choice"], query: () => api.listAccounts(), enabled: form.isOpen });
  const symbols = useQuery({
    key: () => ["symbols", exchange.value],
    query: () => api.listSymbols({ query: { exchange: exchange.value } }),
    enabled: () => exchange.value !== "",
  });

  return {
    exchange, form,
    choices: computed(() => ({
      kinds: kinds.value,
      limitsSchema: limitsSchema.value,
      accounts: (accounts.data.value?.items ?? []).filter((account) => !account.disabled),
      symbols: symbols.data.value ?? [],
    })),
  };
}
