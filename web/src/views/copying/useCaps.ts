import { useQuery } from "@pinia/colada";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { FollowerAccount, FollowerAccountEdit } from "@/api/types";
import { useList } from "@/composables/useList";
import { useSubmit } from "@/composables/useSubmit";

/** What each account that follows may hold for all its masters together, and its editing. */
export function useCaps() {
  const rows = useQuery<FollowerAccount[], Problem>({ key: ["copying", "caps"], query: async () => (await api.listFollowerAccounts()).items });
  const editing = useSubmit<FollowerAccountEdit, unknown, FollowerAccount>(
    (body, account) => api.updateFollowerAccount({ path: { account_id: account.account_id }, body }), { refresh: [["copying"]] },
  );
  return { caps: useList(rows), editing };
}
