/** Histories in words and tones, and what a file's name says of what is in it. */
import type { History, HistoryImport } from "@/api/types";
import type { Tone } from "./state";

export const SOURCE_TONES: Record<History["source"], Tone> = { shared: "soft", uploaded: "good", simulated: "warn" };
export const IMPORT_TONES: Record<HistoryImport["state"], Tone> = { receiving: "warn", queued: "warn", running: "warn", done: "good", failed: "bad" };
export const isOnItsWay = ({ state }: Pick<HistoryImport, "state">): boolean => ["receiving", "queued", "running"].includes(state);

/** Endings that a worker can read. */
export const ENDINGS = [".csv", ".csv.gz", ".zip", ".json", ".feather", ".parquet", ".pq"];
export const LARGEST_FILE = 64 * 1024 * 1024;
export const isReadable = (name: string): boolean => ENDINGS.some((ending) => name.toLowerCase().endsWith(ending));
/** Characters that the node would not take stand as strokes; its ending is written small. */
export const fileNameOf = (name: string): string => name.replace(/[^A-Za-z0-9_. ()+-]/g, "-").replace(/(\.[A-Za-z.]+)$/, (ending) => ending.toLowerCase()).slice(-160);

const QUOTES = ["USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "USD"];

/** "BTCUSDT-1h-2024-01.zip" -> name, symbol and whether it holds trades, as far as the name tells. */
export function guessOf(name: string): { name: string; symbol: string; prints: boolean } {
  const bare = ENDINGS.reduce((text, ending) => (text.toLowerCase().endsWith(ending) ? text.slice(0, -ending.length) : text), name);
  const words = bare.toUpperCase().match(/^([A-Z0-9]+)[_/-]?/)?.[1] ?? "";
  const quote = QUOTES.find((one) => words.endsWith(one) && words.length > one.length);
  const pair = bare.toUpperCase().match(/^([A-Z0-9]{2,10})[_/]([A-Z]{3,5})(?:[^A-Z]|$)/);
  const symbol = pair && QUOTES.includes(pair[2]!) ? `${pair[1]}/${pair[2]}` : quote ? `${words.slice(0, -quote.length)}/${quote}` : "BTC/USDT";
  return { name: bare.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 70).toLowerCase(), symbol, prints: /trades/i.test(bare) };
}
