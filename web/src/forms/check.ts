/** The page's own look at a form before it is sent. The node has the last word. */
import { DECIMAL } from "@/format/money";
import { toSend, type Field, type Values } from "./schema";

export type Complaint = "missing" | "notDecimal" | "notWhole" | "outOfBounds" | "noChoice";
export type Complaints = Record<string, Complaint>;

export function check(fields: Field[], values: Values): Complaints {
  const found = fields.map((field) => [field.name, complaint(field, toSend(values)[field.name])] as const);
  return Object.fromEntries(found.filter((one): one is [string, Complaint] => one[1] !== undefined));
}

export function complaint(field: Field, value: unknown): Complaint | undefined {
  if (value === undefined) return field.isRequired ? "missing" : undefined;
  if (field.kind === "decimal" && !DECIMAL.test(String(value))) return "notDecimal";
  if (field.kind === "integer" && !/^-?\d{1,15}$/.test(String(value))) return "notWhole";
  if (field.kind === "decimal" || field.kind === "integer") return isInside(field, Number(value)) ? undefined : "outOfBounds";
  return undefined;
}

function isInside({ minimum, maximum, above, below }: Field, size: number): boolean {
  if (minimum !== undefined && size < minimum) return false;
  if (maximum !== undefined && size > maximum) return false;
  if (above !== undefined && size <= above) return false;
  return below === undefined || size < below;
}
