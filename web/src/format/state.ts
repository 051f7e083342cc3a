/** The state of a strategy in one word, told from what is wanted and what the node that holds it says. */
import type { Strategy } from "@/api/types";

export type Tone = "good" | "warn" | "bad" | "soft";
export type StateName =
  | "running" | "starting" | "waiting" | "suspended" | "paused" | "pausing" | "stopping" | "stopped" | "flat" | "error";

export const TONES: Record<StateName, Tone> = {
  running: "good", starting: "warn", waiting: "warn", suspended: "warn", paused: "warn", pausing: "warn", stopping: "warn",
  stopped: "soft", flat: "soft", error: "bad",
};

export function stateOf({ desired_state: wanted, live }: Pick<Strategy, "desired_state" | "live">): StateName {
  const wantsEnd = wanted === "stopped" || wanted === "flat";
  if (!live) return wantsEnd ? wanted : "waiting";
  if (live.status === "error" || live.status === "suspended") return live.status;
  if (wantsEnd || live.status === "stopping") return "stopping";
  return workingState(wanted, live.status);
}

function workingState(wanted: string, status: string): StateName {
  if (wanted === "paused") return status === "paused" ? "paused" : "pausing";
  return status === "running" ? "running" : "starting";
}

export type Verb = "start" | "pause" | "resume" | "stop" | "flatten" | "reset";

/** What a person may do now; an end can always be asked for while anything may still rest at the venue. */
export function verbsOf(strategy: Pick<Strategy, "desired_state" | "live">): Verb[] {
  if (strategy.desired_state === "running") return ["pause", "stop", "flatten"];
  if (strategy.desired_state === "paused") return ["resume", "stop", "flatten"];
  return strategy.live ? ["start", "flatten"] : ["start"];
}
