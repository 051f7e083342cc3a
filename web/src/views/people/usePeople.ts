import { ElMessage } from "element-plus";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Person, PersonChange } from "@/api/types";
import { usePages } from "@/composables/usePages";
import { useSubmit } from "@/composables/useSubmit";

/** Everybody who has ever signed in, and what an administrator changes of them. */
export function usePeople() {
  const { t } = useI18n();
  const list = usePages<Person>(["people"], {}, (cursor) => api.listUsers({ query: { cursor, limit: 50 } }));
  const changing = useSubmit<PersonChange, Person, Person>((body, { id }) => api.updateUser({ path: { user_id: id }, body }), {
    // An administrator may have changed themselves.
    refresh: [["people"], ["session"]], done: (_, { login }) => ElMessage.success(t("people.done", { login })),
  });
  return { list, changing };
}
