import { useQueryCache } from "@pinia/colada";
import { ElMessageBox, ElNotification } from "element-plus";
import elementEn from "element-plus/es/locale/lang/en.mjs";
import elementZh from "element-plus/es/locale/lang/zh-cn.mjs";
import { computed, watch } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "@/api/client";
import type { Problem } from "@/api/problem";
import { showProblem } from "@/composables/useVerbs";
import { useLive } from "@/stores/live";
import { usePreferences } from "@/stores/preferences";
import { useSession } from "@/stores/session";
import { useWords } from "@/i18n/words";

/** What surrounds every page: who is here, the live stream, the kill switch, the language. */
export function useShell() {
  const { t } = useI18n();
  const words = useWords();
  const cache = useQueryCache();
  const preferences = usePreferences();
  const session = useSession();
  const live = useLive();
  const error = computed(() => session.error as Problem | null);

  watch(() => session.session, (known) => known && live.connect(), { immediate: true });
  watch(() => live.state, (state) => state === "refused" && void session.reload());
  watch(() => live.lastAlert, (alert) => {
    if (!alert) return;
    const type = alert.level === "info" ? "info" : alert.level === "warning" ? "warning" : "error";
    ElNotification({ type, title: t("alert"), message: words.told(alert.words, alert.text), duration: type === "error" ? 0 : 6000 });
  });

  async function kill(on: boolean): Promise<void> {
    const word = on ? "kill" : "allow";
    const agreed = await ElMessageBox.confirm(t(`kill.${word}.what`), t(`kill.${word}.ask`), {
      confirmButtonText: t(`kill.${word}.do`), cancelButtonText: t("cancel"), confirmButtonType: on ? "danger" : "primary",
    }).then(() => true, () => false);
    if (agreed) await session.setKill(on).catch((problem: unknown) => showProblem(problem, words.problem));
  }

  async function signOut(): Promise<void> {
    live.disconnect();
    await api.deleteSession();
    await cache.invalidateQueries();
  }

  return {
    preferences, live, error, kill, signOut,
    session: computed(() => session.session),
    canTrade: computed(() => session.canTrade),
    killed: computed(() => (session.session?.kill.on ? session.session.kill : undefined)),
    isStranger: computed(() => error.value !== null),
    reload: () => void session.reload(),
    elementLocale: computed(() => (preferences.language === "zh-CN" ? elementZh : elementEn)),
  };
}
