import { useMutation, useQueryCache, type EntryKey } from "@pinia/colada";
import { computed, ref, shallowRef } from "vue";
import type { Problem } from "@/api/problem";

interface Then<Answer, Subject> {
  /** What is asked for again, whatever came of it: a refusal may mean that the page knows something old. */
  refresh?: EntryKey[];
  done?: (answer: Answer, subject: Subject) => unknown;
}

/**
 * A dialog that sends something: whether it is open and about what, what the node said against it, whether it waits.
 * It closes when the node has agreed, and not before; a second sending waits for the answer to the first.
 */
export function useSubmit<Body, Answer = unknown, Subject = undefined>(
  send: (body: Body, subject: Subject) => Promise<Answer>,
  { refresh = [], done }: Then<Answer, Subject> = {},
) {
  const cache = useQueryCache();
  const isOpen = ref(false);
  const subject = shallowRef<Subject>();
  const sent = useMutation<Answer, Body, Problem>({
    mutation: (body) => send(body, subject.value as Subject),
    async onSuccess(answer) {
      isOpen.value = false;
      await done?.(answer, subject.value as Subject);
    },
    onSettled: () => Promise.all(refresh.map((key) => cache.invalidateQueries({ key }))),
  });
  const busy = computed(() => sent.asyncStatus.value === "loading");

  function open(about?: Subject): void {
    sent.reset();
    subject.value = about;
    isOpen.value = true;
  }
  function submit(body: Body): void {
    // The library leaves the argument out where it may be unknown.
    if (!busy.value) (sent.mutate as (body: Body) => void)(body);
  }
  return { isOpen, subject, open, busy, problem: sent.error, submit };
}
