/** Recorded fundings and mark prices from a file: symbol, time, value on each line, as the command line reads them. */
export interface Funding {
  time_ms: number;
  rate: string;
  mark?: string;
}
/** As many as the node takes. */
export const MOST_FUNDINGS = 5_000;
const MINUTE = 60_000;

export type Reading = { values: Map<number, string> } | { wrong: "badLine"; line: number } | { wrong: "noSymbol" } | { wrong: "tooMany"; count: number };

/** Values of a symbol by their moment; the first line names the columns. */
export function readValues(text: string, symbol: string): Reading {
  const [head = [], ...lines] = text.replace(/^\uFEFF/, "").split(/\r?\n/).map((line) => line.split(",").map((cell) => cell.trim()));
  const places = ["symbol", "time", "value"].map((name) => head.indexOf(name)) as [number, number, number];
  if (Math.min(...places) < 0) return { wrong: "badLine", line: 1 };
  const values = new Map<number, string>();
  for (const [place, cells] of lines.entries()) {
    const [of, when, what] = places.map((at) => cells[at] ?? "") as [string, string, string];
    if (of !== symbol) continue;
    const [moment, value] = [momentOf(when), plain(what)];
    if (moment === undefined || value === undefined) return { wrong: "badLine", line: place + 2 };
    values.set(moment, value);
  }
  if (values.size === 0) return { wrong: "noSymbol" };
  return values.size > MOST_FUNDINGS ? { wrong: "tooMany", count: values.size } : { values };
}

/** Times jitter by some milliseconds on the wire and are taken to the nearest minute. */
const momentOf = (text: string): number | undefined => (/^\d{12,14}$/.test(text) ? Math.floor((Number(text) + MINUTE / 2) / MINUTE) * MINUTE : undefined);

/** Digits as they are; an exponent, as programs write small rates, is written out. */
function plain(text: string): string | undefined {
  if (/^-?\d{1,18}(\.\d{1,18})?$/.test(text)) return text;
  const found = /^(-?)(\d+)(?:\.(\d+))?e-(\d{1,2})$/i.exec(text);
  if (!found) return undefined;
  const [, sign, whole, part = "", places] = found as unknown as [string, string, string, string | undefined, string];
  const digits = `${"0".repeat(Number(places))}${whole}`;
  const point = digits.length - Number(places);
  return `${sign}${digits.slice(0, point).replace(/^0+(?=\d)/, "")}.${digits.slice(point)}${part}`;
}

/** Rates with the mark price of the same moment, oldest first. */
export const fundingsOf = (rates: ReadonlyMap<number, string>, marks: ReadonlyMap<number, string>): Funding[] =>
  [...rates].sort(([one], [other]) => one - other).map(([time_ms, rate]) => ({ time_ms, rate, ...(marks.has(time_ms) ? { mark: marks.get(time_ms)! } : {}) }));
