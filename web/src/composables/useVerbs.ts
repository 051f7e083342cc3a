import { useQueryCache } from "@pinia/colada";
import { ElMessage, ElMessageBox } from "element-plus";
import { ref } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import { Problem } from "@/api/problem";
import type { Strategy } from "@/api/types";
import { formatExact } from "@/format/money";
import type { Verb } from "@/format/state";
import { useWords } from "@/i18n/words";

const SEND = {
  start: api.startStrategy, pause: api.pauseStrategy, resume: api.resumeStrategy,
  stop: api.stopStrategy, flatten: api.flattenStrategy, reset: api.resetStrategy,
};

/** Says what a verb will do, asks, sends it, and says what came of it. */
export function useVerbs() {
  const { t } = useI18n();
  const words = useWords();
  const cache = useQueryCache();
  const busy = ref(new Set<number>());

  function consequence(verb: Verb, strategy: Strategy): string {
    const { live } = strategy;
    return t(`verbs.${verb}.what`, {
      venue: strategy.paper ? t("venue.paper") : strategy.exchange,
      buys: live?.pending_buys ?? 0,
      sells: live?.pending_sells ?? 0,
      position: live ? formatExact(live.position) : "0",
      asset: strategy.base_asset ?? "",
    });
  }

  async function isConfirmed(verb: Verb, strategy: Strategy): Promise<boolean> {
    const money = strategy.paper ? "" : ` ${t("verbs.realMoney")}`;
    return ElMessageBox.confirm(consequence(verb, strategy) + money, t(`verbs.${verb}.ask`, { name: strategy.name }), {
      confirmButtonText: t(`verbs.${verb}.do`),
      cancelButtonText: t("cancel"),
      confirmButtonType: verb === "flatten" || verb === "reset" ? "danger" : "primary",
      autofocus: true,
    }).then(() => true, () => false);
  }

  async function run(verb: Verb, strategy: Strategy): Promise<void> {
    if (!(await isConfirmed(verb, strategy))) return;
    busy.value.add(strategy.id);
    try {
      await SEND[verb]({ path: { strategy_id: strategy.id }, headers: { "Idempotency-Key": crypto.randomUUID() } });
      ElMessage.success(t(`verbs.${verb}.sent`, { name: strategy.name }));
    } catch (error) {
      showProblem(error, words.problem);
    } finally {
      busy.value.delete(strategy.id);
      await cache.invalidateQueries({ key: ["strategies"] });
    }
  }
  return { run, busy };
}

/** A failed request as a message that stays until it is read. */
export function showProblem(error: unknown, inWords: (problem: Problem) => { what: string; next: string }): void {
  if (!(error instanceof Problem)) throw error;
  const { what, next } = inWords(error);
  ElMessage.error({ message: error.status === 0 || !next ? what : `${what} ${next}`, duration: 0, showClose: true });
}
