import { computed, ref, shallowRef } from "vue";
import { useI18n } from "vue-i18n";
import type { Problem } from "@/api/problem";
import { useWords } from "@/i18n/words";
import { check, type Complaints } from "./check";
import type { Field, Values } from "./schema";

/** What is wrong with each field: what the page sees, and what the node has answered, by the field's name inside `prefix`. */
export function useErrors(problem: () => Problem | null | undefined, prefix = "") {
  const { t } = useI18n();
  const words = useWords();
  const complaints = ref<Complaints>({});
  /** What was looked at again since it came says nothing of what stands there now. */
  const answered = shallowRef<unknown>();
  const answerOf = () => problem()?.origin ?? problem();

  const errors = computed<Record<string, string>>(() => {
    const own = Object.entries(complaints.value).map(([name, word]) => [name, t(`form.${word}`)] as const);
    const told = (answerOf() === answered.value ? [] : (problem()?.errors ?? [])).map(({ field, reason, words: said }) => [prefix && field.startsWith(`${prefix}.`) ? field.slice(prefix.length + 1) : field, words.told(said, reason)] as const);
    return Object.fromEntries([...told, ...own]);
  });
  function isGood(fields: Field[], values: Values): boolean {
    complaints.value = check(fields, values);
    answered.value = answerOf() ?? undefined;
    return Object.keys(complaints.value).length === 0;
  }
  return { errors, isGood };
}
