import { useMutation, useQuery, useQueryCache } from "@pinia/colada";
import { computed, ref } from "vue";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Account, AccountCreate, Exchange } from "@/api/types";
import { usePages } from "@/composables/usePages";

/** The accounts at the venues, and the adding of one. Keys go in and never come back. */
export function useAccounts() {
  const cache = useQueryCache();
  const isAdding = ref(false);
  const list = usePages<Account>(["accounts", "list"], {}, (cursor) => api.listAccounts({ query: { cursor, limit: 50 } }));
  const exchanges = useQuery<Exchange[], Problem>({ key: ["exchanges"], query: () => api.listExchanges(), staleTime: Infinity });

  const send = useMutation<Account, AccountCreate, Problem>({
    mutation: (body) => api.createAccount({ body }),
    async onSuccess() {
      isAdding.value = false;
      await cache.invalidateQueries({ key: ["accounts"] });
    },
  });
  return {
    ...list,
    isAdding,
    exchanges: computed(() => exchanges.data.value ?? []),
    problem: send.error,
    busy: computed(() => send.asyncStatus.value === "loading"),
    open: () => (send.reset(), (isAdding.value = true)),
    add: (body: AccountCreate) => send.mutate(body),
  };
}
