/** What an account is good for now, in one word; the page says with it what to do next. */
import type { Account, Strategy, Words } from "@/api/types";
import type { Tone } from "./state";

/** A code of what holds orders back, or the last error: with its words where it has any. */
export interface Trouble {
  text: string;
  words?: Words | null;
}

export type AccountName = "ready" | "paper" | "disabled" | "noKey" | "refused" | "checking" | "unknown" | "consented";
export const ACCOUNT_TONES: Record<AccountName, Tone> = {
  ready: "good", paper: "good", disabled: "soft", noKey: "bad", refused: "bad", checking: "warn", unknown: "bad", consented: "warn",
};
/** Whether a reason for holding back lies with the venue or the key, and not with the strategy. */
const isOfTheVenue = (reason: string) => reason === "repeated_rejection" || reason === "stale_price" || reason === "venue_closed";
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
export function troublesOf(running: readonly Pick<Strategy, "account_id" | "live">[]): Map<number, Trouble[]> {
  const found = new Map<number, Trouble[]>();
  for (const { account_id, live } of running) {
    const held = (live?.held_back ?? "").split(",").map((one) => ({ text: one.trim() })).filter(({ text }) => isOfTheVenue(text));
    const last = live?.last_error.trim();
    const told: Trouble[] = [...(last ? [{ text: last, words: live?.last_error_words ?? null }] : []), ...held];
    const known = found.get(account_id) ?? [];
    const more = told.filter(({ text }) => !known.some((one) => one.text === text));
    if (more.length > 0) found.set(account_id, [...known, ...more]);
  }
  return found;
}
