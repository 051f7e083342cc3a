import { computed, ref, watch } from "vue";
import { useI18n } from "vue-i18n";
import type { Problem } from "@/api/problem";
import { ASSUMPTIONS, assumptionFields, FUTURES, QUEUE, type Market } from "./assumptions";
import { initialValues, toSend, type Values } from "./schema";
import type { Funding } from "./fundings";
import { badTier, tiersOf, tiersToSend } from "./tiers";
import { useErrors } from "./useErrors";

interface Of {
  problem: () => Problem | null | undefined;
  market: () => Market;
  /** As venues write it; undefined where there are several. */
  symbol: () => string | undefined;
}

/** What is assumed of the venue and the account, on spot or on futures: its values, what is wrong with them, what is sent. */
export function useAssumptions({ problem, market, symbol }: Of, given: Values = {}) {
  const { t } = useI18n();
  const before = given.futures as Values | null | undefined;
  const values = ref(initialValues(ASSUMPTIONS, given));
  /** Null on spot. */
  const futures = ref<Values | null>(before ? initialValues(FUTURES, before) : null);
  const fundings = ref((before?.funding_rates ?? []) as Funding[]);
  const tiers = ref(tiersOf(before?.tiers));
  const wrongTier = ref<number>();
  const queue = ref(initialValues(QUEUE, (given.queue ?? {}) as Values));
  const assumed = useErrors(problem, "assumptions");
  const terms = useErrors(problem, "assumptions.futures");
  const waiting = useErrors(problem, "assumptions.queue");
  const isQueued = computed(() => values.value.fill_model === "queue");
  const fields = computed(() => assumptionFields(futures.value !== null, market()));

  // Bars have no queue; what was chosen for another history would be refused.
  watch(market, (now) => now === "bars" && isQueued.value && (values.value = { ...values.value, fill_model: "touch" }), { immediate: true });

  // What was recorded is of one symbol.
  watch(symbol, () => (fundings.value = []));

  function termsToSend(): Values {
    const recorded = { ...(tiers.value.length ? { tiers: tiersToSend(tiers.value) } : {}), ...(fundings.value.length ? { funding_rates: fundings.value } : {}) };
    return { ...toSend(futures.value ?? {}), ...recorded };
  }
  function isGood(): boolean {
    wrongTier.value = futures.value ? badTier(tiers.value) : undefined;
    const isFine = [
      assumed.isGood(fields.value, values.value),
      terms.isGood(futures.value ? FUTURES : [], futures.value ?? {}),
      waiting.isGood(isQueued.value ? QUEUE : [], queue.value),
    ];
    return isFine.every(Boolean) && wrongTier.value === undefined;
  }
  function sent(): Values {
    const names = new Set(fields.value.map(({ name }) => name));
    const own = Object.fromEntries(Object.entries(values.value).filter(([name]) => names.has(name)));
    return { ...toSend(own), ...(futures.value ? { futures: termsToSend() } : {}), ...(isQueued.value ? { queue: toSend(queue.value) } : {}) };
  }
  /** Of lists the node names the line: one sentence below all of them is enough. */
  const ofList = (name: string) => Object.entries(terms.errors.value).find(([field]) => field === name || field.startsWith(`${name}.`))?.[1];
  const errors = computed(() => ({
    own: assumed.errors.value, queue: waiting.errors.value,
    futures: { ...terms.errors.value, tiers: wrongTier.value === undefined ? ofList("tiers") : t("runs.tiers.wrong", { number: wrongTier.value }), funding_rates: ofList("funding_rates") },
  }));
  return { values, futures, fundings, tiers, queue, fields, errors, isGood, sent };
}
