import { useQueryCache } from "@pinia/colada";
import { ElMessage, ElMessageBox } from "element-plus";
import { ref } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Account, AccountEdit } from "@/api/types";
import { useSubmit } from "@/composables/useSubmit";
import { showProblem } from "@/composables/useVerbs";
import type { AccountVerb } from "@/format/account";
import { useWords } from "@/i18n/words";

const SEND = {
  disable: (account_id: number) => api.updateAccount({ path: { account_id }, body: { disabled: true } }),
  enable: (account_id: number) => api.updateAccount({ path: { account_id }, body: { disabled: false } }),
  remove: (account_id: number) => api.deleteAccount({ path: { account_id } }),
};

/** What a person does with an account that is there: a new key, no more trading, its end. */
export function useAccountVerbs() {
  const { t } = useI18n();
  const words = useWords();
  const cache = useQueryCache();
  const busy = ref(new Set<number>());
  const changing = useSubmit<AccountEdit, Account, Account>((body, { id }) => api.updateAccount({ path: { account_id: id }, body }), {
    refresh: [["accounts"]], done: (_, { name }) => ElMessage.success(t("account.keyChanged", { name })),
  });

  async function run(verb: AccountVerb, account: Account): Promise<void> {
    if (verb === "key") return changing.open(account);
    const { name } = account;
    const isAgreed = await ElMessageBox.confirm(t(`account.verbs.${verb}.what`), t(`account.verbs.${verb}.label`, { name }), {
      confirmButtonText: t(`account.verbs.${verb}.do`), cancelButtonText: t("cancel"), confirmButtonType: verb === "remove" ? "danger" : "primary",
    }).then(() => true, () => false);
    if (!isAgreed) return;
    busy.value.add(account.id);
    try {
      await SEND[verb](account.id);
      ElMessage.success(t(`account.verbs.${verb}.done`, { name }));
    } catch (error) {
      showProblem(error, words.problem);
    } finally {
      busy.value.delete(account.id);
      await cache.invalidateQueries({ key: ["accounts"] });
    }
  }
  return { changing, run, busy };
}
