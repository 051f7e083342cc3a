import { ref } from "vue";
import type { Problem } from "@/api/problem";
import { ASSUMPTIONS, assumptionFields, FUTURES } from "./assumptions";
import { initialValues, toSend, type Values } from "./schema";
import { useErrors } from "./useErrors";

/** What is assumed of the venue and the account, on spot or on futures: its values, what is wrong with them, what is sent. */
export function useAssumptions(problem: () => Problem | null | undefined, given: Values = {}) {
  const before = given.futures as Values | null | undefined;
  const values = ref(initialValues(ASSUMPTIONS, given));
  /** Null on spot. Recorded fundings and tiers of an earlier run are handed on. */
  const futures = ref<Values | null>(before ? { ...before, ...initialValues(FUTURES, before) } : null);
  const assumed = useErrors(problem, "assumptions");
  const terms = useErrors(problem, "assumptions.futures");

  function isGood(): boolean {
    const isFine = assumed.isGood(assumptionFields(futures.value !== null), values.value);
    return terms.isGood(futures.value ? FUTURES : [], futures.value ?? {}) && isFine;
  }
  function sent(): Values {
    const names = new Set(assumptionFields(futures.value !== null).map(({ name }) => name));
    const own = Object.fromEntries(Object.entries(values.value).filter(([name]) => names.has(name)));
    return { ...toSend(own), ...(futures.value ? { futures: toSend(futures.value) } : {}) };
  }
  return { values, futures, errors: assumed.errors, futuresErrors: terms.errors, isGood, sent };
}
