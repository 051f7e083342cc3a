import { ref } from "vue";
import { useI18n } from "vue-i18n";
import { complaint, type Complaint } from "./check";
import type { Field } from "./schema";
import { namedIn, valuesIn } from "./space";

const SHARE = { kind: "decimal" as const, title: "", help: "", isRequired: true, choices: [], initial: "", minimum: 0 };

/** What is wrong with what is tried of a parameter: it cannot be read, or one of its values cannot be. */
function wrongIn(field: Field, words: string): Complaint | "unreadable" | undefined {
  if (words.trim() === "") return field.isRequired ? "missing" : undefined;
  if (valuesIn(words) === undefined) return "unreadable";
  const choices = field.kind === "boolean" ? ["true", "false"] : field.choices;
  for (const value of namedIn(words)) {
    if (choices.length > 0 && !choices.includes(value)) return "noChoice";
    const found = field.kind === "boolean" ? undefined : complaint(field, value);
    if (found) return found;
  }
  return undefined;
}

/** The page's own look at a search space, before a worker has to say that a value of many cannot be. */
export function useSpace() {
  const { t } = useI18n();
  const wrong = ref<Record<string, string>>({});

  /** Where `share` is given, it is looked at like a parameter of the name `quote`. */
  function isReadable(fields: readonly Field[], space: Readonly<Record<string, string>>, share?: string): boolean {
    const asked = [...fields.map((field) => [field, space[field.name] ?? ""] as const), ...(share === undefined ? [] : [[{ ...SHARE, name: "quote" }, share] as const])];
    wrong.value = Object.fromEntries(asked.flatMap(([field, words]) => {
      const found = wrongIn(field, words);
      return found ? [[field.name, t(found === "unreadable" ? "runs.space.wrong" : `form.${found}`, { choices: field.choices.join(", ") || "true, false" })]] : [];
    }));
    return Object.keys(wrong.value).length === 0;
  }
  const forget = () => (wrong.value = {});
  return { wrong, isReadable, forget };
}
