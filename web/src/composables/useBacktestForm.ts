import { computed } from "vue";
import { useRouter } from "vue-router";
import { api } from "@/api/client";
import type { AccountBacktestCreate, AccountOptimisationCreate, BacktestCreate, OptimisationCreate, Run } from "@/api/types";
import type { AccountDraft, AccountSearchDraft, BacktestDraft, OptimisationDraft } from "@/forms/drafts";
import { useHistories } from "./useHistories";
import { useKinds } from "./useKinds";
import { useSubmit } from "./useSubmit";

const headers = () => ({ "Idempotency-Key": crypto.randomUUID() });

/** The forms of research: what they offer, and the sending of what they give. */
export function useBacktestForm() {
  const router = useRouter();
  const { kinds } = useKinds();
  const kept = useHistories();
  const { histories } = kept;
  const refresh = [["runs"]];
  const backtest = useSubmit<BacktestCreate, Run, BacktestDraft | undefined>((body) => api.createBacktest({ body, headers: headers() }), {
    refresh, done: (made) => router.push(`/research/backtests/${made.id}`),
  });
  const together = useSubmit<AccountBacktestCreate, Run, AccountDraft | undefined>((body) => api.createAccountBacktest({ body, headers: headers() }), {
    refresh, done: (made) => router.push(`/research/account-backtests/${made.id}`),
  });
  const optimisation = useSubmit<OptimisationCreate, Run, OptimisationDraft | undefined>((body) => api.createOptimisation({ body, headers: headers() }), {
    refresh, done: (made) => router.push(`/research/optimisations/${made.id}`),
  });
  const accountSearch = useSubmit<AccountOptimisationCreate, Run, AccountSearchDraft | undefined>((body) => api.createAccountOptimisation({ body, headers: headers() }), {
    refresh, done: (made) => router.push(`/research/optimisations/${made.id}`),
  });
  return {
    backtest, together, optimisation, accountSearch, kept,
    choices: computed(() => ({ kinds: kinds.value, histories: histories.data.value ?? [] })),
  };
}
