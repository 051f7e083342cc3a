import { computed, ref, watch } from "vue";
import type { Problem } from "@/api/problem";
import { ASSUMPTIONS, assumptionFields, FUTURES, QUEUE, type Market } from "./assumptions";
import { initialValues, toSend, type Values } from "./schema";
import { useErrors } from "./useErrors";

/** What is assumed of the venue and the account, on spot or on futures: its values, what is wrong with them, what is sent. */
export function useAssumptions(problem: () => Problem | null | undefined, market: () => Market, given: Values = {}, prefix = "") {
  const before = given.futures as Values | null | undefined;
  const values = ref(initialValues(ASSUMPTIONS, given));
  /** Null on spot. Recorded fundings and tiers of an earlier run are handed on. */
  const futures = ref<Values | null>(before ? { ...before, ...initialValues(FUTURES, before) } : null);
  const queue = ref(initialValues(QUEUE, (given.queue ?? {}) as Values));
  const assumed = useErrors(problem, `${prefix}assumptions`);
  const terms = useErrors(problem, `${prefix}assumptions.futures`);
  const waiting = useErrors(problem, `${prefix}assumptions.queue`);
  const isQueued = computed(() => values.value.fill_model === "queue");
  const fields = computed(() => assumptionFields(futures.value !== null, market()));

  // Bars have no queue; what was chosen for another history would be refused.
  watch(market, (now) => now === "bars" && isQueued.value && (values.value = { ...values.value, fill_model: "touch" }), { immediate: true });

  function isGood(): boolean {
    const isFine = [
      assumed.isGood(fields.value, values.value),
      terms.isGood(futures.value ? FUTURES : [], futures.value ?? {}),
      waiting.isGood(isQueued.value ? QUEUE : [], queue.value),
    ];
    return isFine.every(Boolean);
  }
  function sent(): Values {
    const names = new Set(fields.value.map(({ name }) => name));
    const own = Object.fromEntries(Object.entries(values.value).filter(([name]) => names.has(name)));
    return { ...toSend(own), ...(futures.value ? { futures: toSend(futures.value) } : {}), ...(isQueued.value ? { queue: toSend(queue.value) } : {}) };
  }
  const errors = computed(() => ({ own: assumed.errors.value, futures: terms.errors.value, queue: waiting.errors.value }));
  return { values, futures, queue, fields, errors, isGood, sent };
}
