import { useQuery } from "@pinia/colada";
import { computed } from "vue";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Account, AccountCreate, Exchange } from "@/api/types";
import { usePages } from "@/composables/usePages";
import { useSubmit } from "@/composables/useSubmit";

/** The accounts at the venues, and the adding of one. Keys go in and never come back. */
export function useAccounts() {
  const list = usePages<Account>(["accounts", "list"], {}, (cursor) => api.listAccounts({ query: { cursor, limit: 50 } }));
  const exchanges = useQuery<Exchange[], Problem>({ key: ["exchanges"], query: () => api.listExchanges(), staleTime: Infinity });
  const adding = useSubmit<AccountCreate>((body) => api.createAccount({ body }), { refresh: [["accounts"]] });
  return { list, exchanges: computed(() => exchanges.data.value ?? []), adding };
}
