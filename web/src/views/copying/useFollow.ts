import { api } from "@/api/client";
import type { MasterCreate, MasterPositionSet, RelationshipCreate } from "@/api/types";
import { useSubmit } from "@/composables/useSubmit";

const refresh = [["copying"], ["leaderboard"]];

/** What a person does about copying: follow a master, enter what a manual one holds, and let others be followed. */
export function useFollow() {
  return {
    following: useSubmit<RelationshipCreate, unknown, number>((body) => api.createRelationship({ body }), { refresh }),
    offering: useSubmit<MasterCreate>((body) => api.createMaster({ body }), { refresh }),
    entering: useSubmit<MasterPositionSet>((body) => api.setMasterPosition({ body }), { refresh }),
  };
}
