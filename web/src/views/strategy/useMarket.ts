import { useQuery } from "@pinia/colada";
import { computed } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import type { Bar, Fill, Order } from "@/api/types";
import type { LiveStrategy } from "@/composables/useLiveStrategies";
import { usePages, type Page } from "@/composables/usePages";
import { formatExact, pricePlaces } from "@/format/money";
import { priceKey, useLive } from "@/stores/live";
import { usePreferences } from "@/stores/preferences";
import { useSession } from "@/stores/session";

const BARS = 500;
const OPEN_ORDERS = 200;
const MARKS = 200;
const PAGE = 15;

/** The chart and the two lists beside it: bars, resting orders, fills. */
export function useMarket(id: () => number, strategy: () => LiveStrategy | undefined) {
  const { t, locale } = useI18n();
  const live = useLive();
  const preferences = usePreferences();
  const session = useSession();
  const path = () => ({ strategy_id: id() });

  const bars = useQuery<{ items: Bar[] }, Problem>({
    key: () => ["bars", id()],
    query: () => api.getStrategyBars({ path: path(), query: { limit: BARS } }),
  });
  const resting = useQuery<Page<Order>, Problem>({
    key: () => ["results", id(), "orders"],
    query: () => api.listStrategyOrders({ path: path(), query: { state: "open", limit: OPEN_ORDERS } }),
  });
  const fills = usePages<Fill>(["results", id(), "fills"], {}, (cursor) =>
    api.listStrategyFills({ path: path(), query: { cursor, limit: PAGE } }),
  );
  const drawn = useQuery<Page<Fill>, Problem>({
    key: () => ["results", id(), "marks"],
    query: () => api.listStrategyFills({ path: path(), query: { limit: MARKS } }),
  });
  const orders = computed(() => resting.data.value?.items ?? []);

  /** What the chart shows, for those who do not see it. */
  const inWords = ({ symbol, price, live: told }: LiveStrategy) =>
    t("chart.label", { symbol, price: price ? formatExact(price) : "—", buys: told?.pending_buys ?? 0, sells: told?.pending_sells ?? 0 });

  const chart = computed(() => {
    const shown = strategy();
    if (!shown) return undefined;
    const levels = orders.value.flatMap(({ side, price }) => (price ? [{ side, price }] : []));
    return {
      symbol: shown.symbol, interval: shown.interval, levels,
      bars: bars.data.value?.items ?? [],
      price: live.prices.get(priceKey(shown.feed, shown.symbol)),
      marks: (drawn.data.value?.items ?? []).map((fill) => ({ side: fill.side, price: fill.price, time: Date.parse(fill.executed_at) })),
      places: shown.price ? pricePlaces(shown.price) : 2,
      locale: locale.value === "zh-CN" ? "zh-CN" : "en-US",
      timeZone: session.timeZone,
      appearance: `${preferences.isDark} ${preferences.rise}`,
      label: inWords(shown),
    };
  });
  return { chart, bars, resting, orders, fills };
}
