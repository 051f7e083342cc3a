import { useIntervalFn } from "@vueuse/core";
import { computed } from "vue";
import { api } from "@/api/client";
import type { Run } from "@/api/types";
import { usePages } from "@/composables/usePages";
import { isOpen } from "@/format/run";

const PAGE = 15;
/** The stream tells every step; this is for the case that it does not. */
const RENEW_MS = 10_000;

/** Backtests, those of several on an account, and optimisations, newest first. */
export function useResearch() {
  const backtests = usePages<Run>(["runs", "backtest", "list"], {}, (cursor) => api.listBacktests({ query: { cursor, limit: PAGE } }));
  const accounts = usePages<Run>(["runs", "together", "list"], {}, (cursor) => api.listAccountBacktests({ query: { cursor, limit: PAGE } }));
  const optimisations = usePages<Run>(["runs", "optimisation", "list"], {}, (cursor) => api.listOptimisations({ query: { cursor, limit: PAGE } }));
  const lists = [backtests, accounts, optimisations];
  const isWaiting = computed(() => lists.some(({ items }) => items.value.some(isOpen)));
  useIntervalFn(() => {
    if (isWaiting.value) lists.forEach((one) => one.retry());
  }, RENEW_MS);
  return { backtests, accounts, optimisations };
}
