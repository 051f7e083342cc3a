/** What an account is good for now, in one word; the page says with it what to do next. */
import type { Account, Strategy } from "@/api/types";
import type { Tone } from "./state";

export type AccountName = "ready" | "paper" | "disabled" | "noKey" | "refused" | "checking" | "unknown" | "consented";
export const ACCOUNT_TONES: Record<AccountName, Tone> = {
  ready: "good", paper: "good", disabled: "soft", noKey: "bad", refused: "bad", checking: "warn", unknown: "bad", consented: "warn",
};
/** Whether a reason for holding back lies with the venue or the key, and not with the strategy. */
const isOfTheVenue = (reason: string) => reason === "repeated_rejection" || reason === "stale_price" || /\bvenue\b/.test(reason);
type Told = Pick<Account, "disabled" | "paper" | "has_key" | "rights" | "rights_checked_at" | "rights_consent_at">;

export function accountName(one: Told): AccountName {
  if (one.disabled) return "disabled";
  if (one.paper) return "paper";
  if (!one.has_key) return "noKey";
  if (one.rights !== "unknown") return one.rights === "verified" ? "ready" : "refused";
  if (one.rights_consent_at) return "consented";
  return one.rights_checked_at ? "unknown" : "checking";
}

export type AccountVerb = "key" | "disable" | "enable" | "remove";

export function accountVerbs(one: Pick<Account, "disabled" | "paper">): AccountVerb[] {
  return [...(one.paper ? [] : (["key"] as const)), one.disabled ? "enable" : "disable", "remove"];
}

/** By account what keeps those who trade on it from trading, each thing once: a venue that is halted, a key that was revoked. */
export function troublesOf(running: readonly Pick<Strategy, "account_id" | "live">[]): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const { account_id, live } of running) {
    const told = [live?.last_error ?? "", ...(live?.held_back ?? "").split(",")].map((one) => one.trim());
    const known = found.get(account_id) ?? [];
    const more = told.filter((one) => one && (one === live?.last_error || isOfTheVenue(one)) && !known.includes(one));
    if (more.length > 0) found.set(account_id, [...known, ...more]);
  }
  return found;
}
