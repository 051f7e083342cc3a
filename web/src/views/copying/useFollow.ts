import { api } from "@/api/client";
import type { MasterPositionSet, RelationshipCreate } from "@/api/types";
import { useSubmit } from "@/composables/useSubmit";

const refresh = [["copying"], ["leaderboard"]];

/** What a person does about copying: follow a master, and enter what a manual one holds. */
export function useFollow() {
  return {
    following: useSubmit<RelationshipCreate, unknown, number>((body) => api.createRelationship({ body }), { refresh }),
    entering: useSubmit<MasterPositionSet>((body) => api.setMasterPosition({ body }), { refresh }),
  };
}
