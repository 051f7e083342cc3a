/** Decimal strings for people. Nothing here computes: digits are kept, grouped, shortened, and never turned into floats. */

const MINUS = "−";

/** "1234.500000" -> "1,234.50" with two places; cut towards zero, never rounded up to more than there is. */
export function formatAmount(value: string, places: number): string {
  const { negative, whole, fraction } = parts(value);
  const shown = fraction.padEnd(places, "0").slice(0, places);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const isZero = !/[1-9]/.test(whole + shown);
  return (negative && !isZero ? MINUS : "") + grouped + (places > 0 ? `.${shown}` : "");
}

/** As it came, without zeros that say nothing: "0.0500" -> "0.05". */
export function formatExact(value: string): string {
  const { negative, whole, fraction } = parts(value);
  const rest = fraction.replace(/0+$/, "");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (negative && /[1-9]/.test(whole + rest) ? MINUS : "") + grouped + (rest ? `.${rest}` : "");
}

/** A price: as it came, with at least so many places, so that a column of them lines up. */
export function formatPrice(value: string, places: number): string {
  const { fraction } = parts(value);
  return formatAmount(value, Math.max(places, fraction.replace(/0+$/, "").length));
}

/** A gain is told by its sign and arrow as well as by its colour. */
export function formatSigned(value: string, places: number): string {
  const text = formatAmount(value, places);
  return shownSign(value, places) > 0 ? `+${text}` : text;
}

/** The sign of what is shown: a loss that is too small for the places that are shown is told as nothing. */
export function shownSign(value: string, places: number): -1 | 0 | 1 {
  return sign(formatAmount(value, places).replace(MINUS, "-").replaceAll(",", ""));
}

export function sign(value: string): -1 | 0 | 1 {
  const { negative, whole, fraction } = parts(value);
  if (!/[1-9]/.test(whole + fraction)) return 0;
  return negative ? -1 : 1;
}

/** A fraction as percent, by moving its point: "0.0525" -> "5.25 %". */
export const formatPercent = (value: string, places = 2): string => `${formatAmount(`${plain(value)}e2`, places)} %`;

/** How much, whichever way: "-0.5" -> "0.5". */
export const unsigned = (value: string): string => value.replace(/^[+-]/, "");

/** Order of two decimals, by their digits: below 0 when the first is smaller. */
export function compare(one: string, other: string): number {
  const [left, right] = [parts(one), parts(other)];
  if (left.negative !== right.negative) return left.negative ? -1 : 1;
  const width = Math.max(left.whole.length, right.whole.length);
  const digits = ({ whole, fraction }: typeof left) => whole.padStart(width, "0") + fraction;
  const [first, second] = [digits(left), digits(right)].map((text) => text.replace(/0+$/, "")) as [string, string];
  const order = first < second ? -1 : first > second ? 1 : 0;
  return left.negative ? -order : order;
}

/** Places that show a price of this size well; from its digits, not from arithmetic. */
export function pricePlaces(value: string): number {
  const { whole, fraction } = parts(value);
  const own = fraction.replace(/0+$/, "").length;
  return Math.max(whole.length > 1 ? 2 : 4, Math.min(own, 8));
}

/** A decimal that a person may type, or nothing. */
export const DECIMAL = /^\d{1,18}(\.\d{1,18})?$/;

function parts(value: string): { negative: boolean; whole: string; fraction: string } {
  const digits = plain(value);
  const negative = digits.startsWith("-");
  const [whole = "0", fraction = ""] = digits.replace(/^[+-]/, "").split(".");
  return { negative, whole: whole.replace(/^0+(?=\d)/, "") || "0", fraction };
}

const plain = (value: string): string => (/e/i.test(value) ? unfold(value) : value);

/** "1.2E-7" -> "0.00000012": Python writes small decimals so. */
function unfold(value: string): string {
  const [digits = "0", power = "0"] = value.toLowerCase().split("e");
  const negative = digits.startsWith("-") ? "-" : "";
  const [whole = "0", fraction = ""] = digits.replace(/^[+-]/, "").split(".");
  const shift = Number.parseInt(power, 10);
  const all = whole + fraction;
  const point = whole.length + shift;
  if (point <= 0) return `${negative}0.${"0".repeat(-point)}${all}`;
  return point >= all.length ? negative + all.padEnd(point, "0") : `${negative}${all.slice(0, point)}.${all.slice(point)}`;
}
