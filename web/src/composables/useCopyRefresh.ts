import { useQueryCache } from "@pinia/colada";
import { useIntervalFn } from "@vueuse/core";

/** The stream tells of every copy; this is the look for what was missed, and for what no event tells. */
const AUDIT_MS = 5_000;

export function useCopyRefresh(): void {
  const cache = useQueryCache();
  useIntervalFn(() => void cache.invalidateQueries({ key: ["copying"] }), AUDIT_MS);
}
