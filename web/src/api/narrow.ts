/** Events come as `unknown`; here they get their shapes, or are passed over. */
import type { LiveStatus, Words } from "./types";

export interface Price {
  price: string;
  time: string;
}
export interface Alert {
  level: string;
  code: string;
  text: string;
  words?: Words | null;
}
type Record_ = Record<string, unknown>;

const isRecord = (data: unknown): data is Record_ => typeof data === "object" && data !== null;
/** A status has empty amounts until the first price is known. */
const AMOUNTS = ["realised", "unrealised", "fees", "equity", "position"] as const;

/** The strategy an event is about. */
export function strategyOf(data: unknown): number | undefined {
  const id = isRecord(data) ? (data.instance ?? data.strategy_id ?? data.id) : undefined;
  return typeof id === "number" || typeof id === "string" ? Number(id) : undefined;
}

/** Which kind of thing an event is about. */
export const kindOf = (data: unknown): string => (isRecord(data) && typeof data.kind === "string" ? data.kind : "");

/** The live status an event tells; null when the strategy runs no more. */
export function toLiveStatus(data: unknown): LiveStatus | null {
  if (!isRecord(data) || data.status === "stopped") return null;
  const amounts = Object.fromEntries(AMOUNTS.map((name) => [name, String(data[name] || "0")]));
  return { ...data, ...amounts, current_price: data.current_price || null } as unknown as LiveStatus;
}

export function toPrice(data: unknown): (Price & { exchange: string; symbol: string }) | undefined {
  if (!isRecord(data) || ![data.exchange, data.symbol, data.price, data.time].every((one) => typeof one === "string")) return undefined;
  return data as unknown as Price & { exchange: string; symbol: string };
}

export function toAlert(data: unknown): Alert | undefined {
  return isRecord(data) && typeof data.text === "string" ? (data as unknown as Alert) : undefined;
}
