/** A search space in words, as the node reads it: one value, several with commas between, or `from:to:step`. */
import type { Field } from "./schema";

/** How many values a text describes; undefined when it cannot be read. */
export function valuesIn(text: string): number | undefined {
  const plain = text.trim();
  if (plain === "") return undefined;
  const parts = plain.split(":");
  if (parts.length === 1) {
    const values = plain.split(",").map((one) => one.trim());
    return values.includes("") ? undefined : new Set(values).size;
  }
  const [from, to, step] = parts.map(Number) as [number, number, number];
  if (parts.length !== 3 || ![from, to, step].every(Number.isFinite) || step <= 0 || to < from) return undefined;
  return Math.floor((to - from) / step + 1e-9) + 1;
}

/** What a text names one by one: each of its values, or both ends of a range. */
export const namedIn = (text: string): string[] => text.split(text.includes(":") ? ":" : ",").map((one) => one.trim()).slice(0, text.includes(":") ? 2 : undefined);

/** How many sets a space has; undefined when a part of it cannot be read. */
export function sizeOf(space: Record<string, string>): number | undefined {
  let size = 1;
  for (const text of Object.values(space)) size *= valuesIn(text) ?? Number.NaN;
  return Number.isNaN(size) ? undefined : size;
}

/** The parameters that were given a text. */
export const given = (space: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(space).flatMap(([name, text]) => (text.trim() === "" ? [] : [[name, text.trim()]])));

/** What a space begins with: what is there, else the defaults, as far as they can be written. */
export const initialSpace = (fields: readonly Field[], before: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(fields.flatMap(({ name, initial }) => {
    const value = before[name] ?? initial;
    return ["string", "number", "boolean"].includes(typeof value) ? [[name, String(value)]] : [];
  }));

/** The most sets that can be tried; of several strategies a set takes the room of as many. Other methods have a budget of their own. */
export const mostSets = (instances: number, method: unknown): number => (method === "exhaustive" ? Math.floor(200_000 / instances) : Infinity);
