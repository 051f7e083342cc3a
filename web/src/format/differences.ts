export interface Difference {
  name: string;
  values: [string, string];
}
type Named = Record<string, unknown> | undefined;
const text = (value: unknown) => (value === null || value === undefined ? "—" : String(value));

/** The names whose values are not the same in both. */
export function differencesOf(one: Named, other: Named): Difference[] {
  const names = [...new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})])];
  return names.map((name) => ({ name, values: [text(one?.[name]), text(other?.[name])] as [string, string] })).filter(({ values: [left, right] }) => left !== right);
}
