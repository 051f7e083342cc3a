/** Tiers of maintenance margin as they are typed. */
import { DECIMAL } from "@/format/money";

export interface Tier {
  up_to: string;
  maintenance_percent: string;
  leverage: string;
}
export const EMPTY_TIER: Tier = { up_to: "", maintenance_percent: "", leverage: "" };

/** Tiers of an earlier run, as text. */
export const tiersOf = (given: unknown): Tier[] =>
  (Array.isArray(given) ? (given as Record<string, unknown>[]) : []).map((one) => ({ up_to: String(one.up_to), maintenance_percent: String(one.maintenance_percent), leverage: String(one.leverage ?? "") }));

/** The first tier that cannot be read, counted from 1; whether they rise, the node says. */
export function badTier(tiers: readonly Tier[]): number | undefined {
  const at = tiers.findIndex(({ up_to, maintenance_percent, leverage }) => !DECIMAL.test(up_to) || !DECIMAL.test(maintenance_percent) || !/^(\d{1,3})?$/.test(leverage));
  return at < 0 ? undefined : at + 1;
}

export const tiersToSend = (tiers: readonly Tier[]) => tiers.map(({ leverage, ...rest }) => ({ ...rest, ...(leverage ? { leverage: Number(leverage) } : {}) }));
