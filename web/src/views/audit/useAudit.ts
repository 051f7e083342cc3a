import { api } from "@/api/client";
import type { AuditRecord } from "@/api/types";
import { usePages } from "@/composables/usePages";

export function useAudit() {
  return usePages<AuditRecord>(["audit"], {}, (cursor) => api.listAudit({ query: { cursor, limit: 50 } }));
}
