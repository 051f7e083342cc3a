import { useMutation, useQuery, useQueryCache } from "@pinia/colada";
import { computed, ref, type Ref } from "vue";
import { useRouter } from "vue-router";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Strategy, StrategyCreate } from "@/api/types";
import { useKinds } from "@/composables/useKinds";

/** What the dialog offers, and the sending of what it gives. */
export function useCreate(isOpen: Ref<boolean>) {
  const router = useRouter();
  const cache = useQueryCache();
  const exchange = ref("");
  const { kinds, limitsSchema } = useKinds();

  const accounts = useQuery({ key: ["accounts", "choice"], query: () => api.listAccounts(), enabled: isOpen });
  const symbols = useQuery({
    key: () => ["symbols", exchange.value],
    query: () => api.listSymbols({ query: { exchange: exchange.value } }),
    enabled: () => exchange.value !== "",
  });

  const send = useMutation<Strategy, StrategyCreate, Problem>({
    mutation: (body) => api.createStrategy({ body }),
    async onSuccess(made) {
      isOpen.value = false;
      await cache.invalidateQueries({ key: ["strategies"] });
      await router.push(`/strategies/${made.id}`);
    },
  });

  return {
    exchange,
    choices: computed(() => ({
      kinds: kinds.value,
      limitsSchema: limitsSchema.value,
      accounts: (accounts.data.value?.items ?? []).filter((account) => !account.disabled),
      symbols: symbols.data.value ?? [],
    })),
    problem: send.error,
    busy: computed(() => send.asyncStatus.value === "loading"),
    save: (body: StrategyCreate) => send.mutate(body),
  };
}
