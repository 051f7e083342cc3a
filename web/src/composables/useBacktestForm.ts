import { useQuery } from "@pinia/colada";
import { computed } from "vue";
import { useRouter } from "vue-router";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { BacktestCreate, History, OptimisationCreate, Run } from "@/api/types";
import type { BacktestDraft } from "@/forms/drafts";
import { useKinds } from "./useKinds";
import { useSubmit } from "./useSubmit";

const headers = () => ({ "Idempotency-Key": crypto.randomUUID() });
const MOST_HISTORIES = 500;

/** The two forms of research: what they offer, and the sending of what they give. */
export function useBacktestForm() {
  const router = useRouter();
  const { kinds } = useKinds();
  const histories = useQuery<History[], Problem>({
    key: ["histories"], query: async () => (await api.listHistories({ query: { limit: MOST_HISTORIES } })).items,
  });
  const refresh = [["runs"]];
  const backtest = useSubmit<BacktestCreate, Run, BacktestDraft | undefined>((body) => api.createBacktest({ body, headers: headers() }), {
    refresh, done: (made) => router.push(`/research/backtests/${made.id}`),
  });
  const optimisation = useSubmit<OptimisationCreate, Run>((body) => api.createOptimisation({ body, headers: headers() }), {
    refresh, done: (made) => router.push(`/research/optimisations/${made.id}`),
  });
  return {
    backtest, optimisation, histories,
    choices: computed(() => ({ kinds: kinds.value, histories: histories.data.value ?? [] })),
  };
}
