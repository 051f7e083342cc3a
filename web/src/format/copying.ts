/** Copying in words and tones: what a relationship does now, and what became of a signal. */
import type { Relationship, TradeLog } from "@/api/types";
import type { Tone } from "./state";

export type FollowName = "following" | "waiting" | "paused" | "pausing" | "stopping" | "stopped" | "error";
export const FOLLOW_TONES: Record<FollowName, Tone> = {
  following: "good", waiting: "warn", paused: "warn", pausing: "warn", stopping: "warn", stopped: "soft", error: "bad",
};

/** What is wished, unless the worker says that it is not there yet. */
export function followName(one: Pick<Relationship, "desired_state" | "state">): FollowName {
  if (one.state === "error") return "error";
  if (one.state === one.desired_state) return one.desired_state;
  if (one.desired_state === "stopped") return one.state === "waiting" ? "stopped" : "stopping";
  return one.desired_state === "paused" && one.state === "following" ? "pausing" : "waiting";
}

export type LogFilter = "all" | "success" | "failed" | "skipped";
export const LOG_FILTERS: readonly LogFilter[] = ["all", "success", "failed", "skipped"];
/** What the node is asked for; nothing asks for all. */
export const statusOf = (filter?: string) => (filter === "all" ? undefined : (filter as Exclude<LogFilter, "all">));
export const LOG_TONES: Record<TradeLog["status"], Tone> = {
  success: "good", pending: "warn", failed: "bad", skipped: "soft", coalesced: "soft",
};

/** What makes a copy cost more than the ideal one, or less. */
export const CAUSES = ["latency", "slippage", "rounding", "caps", "skipped", "fees", "funding"] as const;

export type FollowVerb = "start" | "pause" | "resume" | "stop" | "resync";

export function followVerbs({ desired_state: wished }: Pick<Relationship, "desired_state">): FollowVerb[] {
  if (wished === "following") return ["pause", "resync", "stop"];
  return wished === "paused" ? ["resume", "stop"] : ["start"];
}

/** From the master's trade to the venue's word, or nothing while either is missing: milliseconds of clocks, no money. */
export function delayOf(log: Pick<TradeLog, "signal_at" | "acknowledged_at">): number | undefined {
  return log.acknowledged_at ? new Date(log.acknowledged_at).getTime() - new Date(log.signal_at).getTime() : undefined;
}
