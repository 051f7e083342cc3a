import { useQuery } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";
import { computed } from "vue";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Account, AccountCreate, Exchange, Strategy } from "@/api/types";
import { RENEW_MS } from "@/composables/useLiveStrategies";
import { usePages } from "@/composables/usePages";
import { useSubmit } from "@/composables/useSubmit";
import { troublesOf } from "@/format/account";

/** The accounts at the venues, what troubles those who trade on them, and the adding of one. Keys go in and never come back. */
export function useAccounts() {
  const list = usePages<Account>(["accounts", "list"], {}, (cursor) => api.listAccounts({ query: { cursor, limit: 50 } }));
  const running = useQuery<Strategy[], Problem>({
    key: ["strategies", "running"], query: async () => (await api.listRunningStrategies({ query: { limit: 500 } })).items,
  });
  const exchanges = useQuery<Exchange[], Problem>({ key: ["exchanges"], query: () => api.listExchanges(), staleTime: Infinity });
  const adding = useSubmit<AccountCreate>((body) => api.createAccount({ body }), { refresh: [["accounts"]] });
  // A worker looks at a key, or meets a venue that is halted, without an event of it.
  useIntervalFn(() => (list.retry(), void running.refetch()), RENEW_MS);
  return { list, exchanges: computed(() => exchanges.data.value ?? []), troubles: computed(() => troublesOf(running.data.value ?? [])), adding };
}
