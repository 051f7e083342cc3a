/** Who is here, and whether trading is stopped for them. */
import { useQuery, useQueryCache } from "@pinia/colada";
import { defineStore } from "pinia";
import { computed } from "vue";
import { api } from "@/api/client";
import type { Session } from "@/api/types";

export const SESSION_KEY = ["session"];

export const useSession = defineStore("session", () => {
  const cache = useQueryCache();
  const query = useQuery({ key: SESSION_KEY, query: () => api.getSession() });

  const session = computed<Session | undefined>(() => query.data.value);
  const timeZone = computed(() => session.value?.time_zone || "UTC");
  const canTrade = computed(() => (session.value ? session.value.user.role !== "viewer" : false));

  async function setKill(on: boolean): Promise<void> {
    await api.setKillSwitch({ body: { on } });
    await cache.invalidateQueries({ key: SESSION_KEY });
  }
  return { session, error: query.error, timeZone, canTrade, setKill, reload: query.refetch };
});
