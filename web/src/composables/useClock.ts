import { useIntervalFn } from "@vueuse/core";
import { computed, ref } from "vue";
import { useI18n } from "vue-i18n";
import { formatAge, formatClock, formatMoment } from "@/format/time";
import { useSession } from "@/stores/session";

/** Times as the reader wants them, and the zone they are told in. */
export function useClock() {
  const { locale } = useI18n();
  const session = useSession();
  const now = ref(Date.now());
  useIntervalFn(() => (now.value = Date.now()), 1000);
  return {
    zone: computed(() => session.timeZone),
    moment: (iso: string) => formatMoment(iso, locale.value, session.timeZone),
    clock: (iso: string) => formatClock(iso, locale.value, session.timeZone),
    age: (milliseconds: number) => formatAge(milliseconds, locale.value),
    since: (iso: string) => formatAge(now.value - new Date(iso).getTime(), locale.value),
  };
}
