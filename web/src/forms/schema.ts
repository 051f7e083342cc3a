/** JSON Schema, as pydantic writes it, read as fields of a form. */
import { formatExact } from "@/format/money";

export type FieldKind = "decimal" | "integer" | "boolean" | "choice" | "amounts" | "list" | "text";

export interface Field {
  name: string;
  kind: FieldKind;
  title: string;
  help: string;
  isRequired: boolean;
  choices: string[];
  minimum?: number;
  maximum?: number;
  /** A value that must be above, not at, this bound. */
  above?: number;
  below?: number;
  initial: unknown;
}

export type Values = Record<string, unknown>;

interface Node {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  anyOf?: Node[];
  additionalProperties?: Node | boolean;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

export function fieldsOf(schema: Record<string, unknown>): Field[] {
  const properties = (schema.properties ?? {}) as Record<string, Node>;
  const required = new Set((schema.required ?? []) as string[]);
  return Object.entries(properties).map(([name, node]) => toField(name, node, required.has(name)));
}

function toField(name: string, node: Node, isRequired: boolean): Field {
  const variants = variantsOf(node).filter((one) => one.type !== "null");
  const bounded = variants.find((one) => one.type === "number" || one.type === "integer") ?? node;
  return {
    name, isRequired,
    kind: kindOf(node, variants),
    title: node.title ?? name,
    help: node.description ?? "",
    choices: (node.enum ?? []).map(String),
    minimum: bounded.minimum, maximum: bounded.maximum, above: bounded.exclusiveMinimum, below: bounded.exclusiveMaximum,
    initial: node.default ?? undefined,
  };
}

/** "This or that or nothing", which may itself be one of two. */
function variantsOf(node: Node): Node[] {
  return node.anyOf ? node.anyOf.flatMap(variantsOf) : [node];
}

/** Money is either a number or a string on the wire; the page always sends the string. */
function kindOf(node: Node, variants: Node[]): FieldKind {
  const types = new Set(variants.map((one) => one.type));
  if (node.enum) return "choice";
  if (types.has("boolean")) return "boolean";
  if (types.has("object")) return "amounts";
  if (types.has("array")) return "list";
  if (types.has("number")) return "decimal";
  if (types.has("integer")) return "integer";
  return "text";
}

/** The values a form begins with: what is there, else the defaults. A search writes its values as text, and "false" is no yes. */
export function initialValues(fields: Field[], given: Values = {}): Values {
  const read = ({ kind, name }: Field) => (kind === "boolean" && typeof given[name] === "string" ? given[name] === "true" : given[name]);
  return Object.fromEntries(fields.map((field) => [field.name, read(field) ?? field.initial]));
}

/** What is sent: without the empty fields, so that the node's own defaults hold. */
export function toSend(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined));
}

/** The bounds of a field in signs, which no line breaks: "> 0", "1 – 500". */
export function boundsOf({ minimum, maximum, above, below }: Field): string {
  const shown = (bound: number) => formatExact(String(bound));
  const low = above !== undefined ? `>\u00a0${shown(above)}` : minimum !== undefined ? `≥\u00a0${shown(minimum)}` : "";
  const high = below !== undefined ? `<\u00a0${shown(below)}` : maximum !== undefined ? `≤\u00a0${shown(maximum)}` : "";
  if (minimum !== undefined && maximum !== undefined) return `${shown(minimum)}\u00a0–\u2060\u00a0${shown(maximum)}`;
  return [low, high].filter(Boolean).join(", ");
}
