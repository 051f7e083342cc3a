import { useQuery } from "@pinia/colada";
import { refDebounced, useIntervalFn } from "@vueuse/core";
import { computed, ref, watch } from "vue";
import { useRoute, useRouter } from "vue-router";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Pnl, Strategy, Total } from "@/api/types";
import { RENEW_MS, useLiveStrategies } from "@/composables/useLiveStrategies";
import { usePages } from "@/composables/usePages";

const PAGE = 50;
const TOTALS_MS = 5_000;
type State = Strategy["desired_state"];
const states = (wanted = "") => (wanted ? [wanted as State] : undefined);

/** The list of strategies as the node tells it, kept fresh by the stream; the filters live in the address. */
export function useStrategies() {
  const route = useRoute();
  const router = useRouter();
  const { overlay, settled } = useLiveStrategies();
  const text = ref(typeof route.query.q === "string" ? route.query.q : "");
  const state = ref(typeof route.query.state === "string" ? route.query.state : "");
  const quiet = refDebounced(text, 250);

  const filter = computed(() => ({ q: quiet.value, state: state.value }));
  watch(filter, ({ q, state: wanted }) => {
    void router.replace({ query: { ...(q && { q }), ...(wanted && { state: wanted }) } });
  });

  const list = usePages(["strategies", "list"], filter, (cursor, wanted) =>
    settled(
      () => api.listStrategies({ query: { cursor, limit: PAGE, q: wanted.q || undefined, state: states(wanted.state) } }),
      (page) => page.items.map((one) => one.id),
    ),
  );
  useIntervalFn(list.retry, RENEW_MS);
  const sums = useQuery<Total[], Problem>({
    key: ["strategies", "totals"],
    // A currency is known when a worker has told the first result in it.
    query: async () => (await api.listStrategyTotals()).items.filter((one) => one.told > 0),
  });
  useIntervalFn(() => void sums.refetch(), TOTALS_MS);
  const rows = computed(() => list.items.value.map(overlay));
  const ended = computed(() => rows.value.filter(({ live, desired_state }) => !live && (desired_state === "stopped" || desired_state === "flat")).map(({ id }) => id));
  // No worker speaks for what has ended: its sum is asked for, as its own page does.
  const sum = async (id: number) => [id, await api.getStrategyPnl({ path: { strategy_id: id } }).catch(() => undefined)] as const;
  const endings = useQuery<Map<number, Pnl | undefined>, Problem>({
    key: () => ["results", "ended", ...ended.value], query: async () => new Map(await Promise.all(ended.value.map(sum))), enabled: () => ended.value.length > 0,
    placeholderData: (previous) => previous,
  });
  return { ...list, rows, endings: computed(() => endings.data.value ?? new Map<number, Pnl | undefined>()), totals: computed(() => sums.data.value ?? []), text, state, isFiltered: computed(() => Boolean(quiet.value || state.value)) };
}
