import { describe, expect, test } from "vitest";
import type { LiveStatus, Strategy } from "@/api/types";
import { stateOf, verbsOf } from "@/format/state";

const strategy = (desired_state: Strategy["desired_state"], status?: LiveStatus["status"]) => ({
  desired_state, live: status ? ({ status } as LiveStatus) : null,
});

describe("the state in one word", () => {
  test.each([
    ["running", undefined, "waiting"],
    ["running", "claiming", "starting"],
    ["running", "running", "running"],
    ["running", "suspended", "suspended"],
    ["running", "error", "error"],
    ["paused", "running", "pausing"],
    ["paused", "paused", "paused"],
    ["stopped", "running", "stopping"],
    ["flat", "stopping", "stopping"],
    ["stopped", undefined, "stopped"],
    ["flat", undefined, "flat"],
  ] as const)("wanted %s, told %s: %s", (wanted, told, word) => expect(stateOf(strategy(wanted, told))).toBe(word));
});

test("while something may rest at the venue, an end can be asked for", () => {
  expect(verbsOf(strategy("running"))).toContain("stop");
  expect(verbsOf(strategy("paused", "paused"))).toEqual(["resume", "stop", "flatten"]);
  expect(verbsOf(strategy("stopped", "stopping"))).toContain("flatten");
  expect(verbsOf(strategy("stopped"))).toEqual(["start"]);
});
