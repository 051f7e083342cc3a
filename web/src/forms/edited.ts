import { inject, ref, watch, type InjectionKey, type Ref } from "vue";

/** How often the form around has been sent, or answered. */
export const ATTEMPT: InjectionKey<Ref<number>> = Symbol("attempt");

/** Which fields were written in since: what was wrong with them then says nothing of them now. */
export function useEdited() {
  const attempt = inject(ATTEMPT, undefined);
  const edited = ref(new Set<string>());
  if (attempt) watch(attempt, () => (edited.value = new Set()));
  return {
    /** Without a form around nothing tells when it is looked at again, and what is wrong stays. */
    edit: (name: string) => attempt && edited.value.add(name),
    errorOf: (name: string, error: string | undefined) => (edited.value.has(name) ? undefined : error),
  };
}
