import { useI18n } from "vue-i18n";
import { shallowRef } from "vue";
import type { Problem } from "@/api/problem";
import type { Run, StrategyKind, Words } from "@/api/types";

/** Titles of parameters as the node's strategies give them, by strategy and name, once they are known. */
const titles = shallowRef<Record<string, Record<string, string>>>({});

/** Words for what the node names by a code, or writes in English: translated where the page knows it, as it came otherwise. */
export function useWords() {
  const { t, te, locale } = useI18n();
  const or = (key: string, otherwise: string) => (te(key, locale.value) ? t(key) : otherwise);
  const spoken = (code: string) => code.replaceAll("_", " ");

  const titleOf = (scope: string, field: string, title: string) => or(`kinds.${scope}.fields.${field}.title`, titles.value[scope]?.[field] ?? title);
  const kindTitle = (name: string, title = spoken(name)) => or(`kinds.${name}.title`, title);

  return {
    kindTitle,
    /** What a run is of: a strategy on a symbol, or so many on an account. */
    runTitle: ({ strategy, symbol, instances }: Pick<Run, "strategy" | "symbol" | "instances">) =>
      instances.length > 0 ? t("runs.together.name", { count: instances.length }) : `${kindTitle(strategy)} · ${symbol}`,
    kindSummary: (name: string, summary: string) => or(`kinds.${name}.summary`, summary),
    /** Of several on one account a parameter is called as it is written: `instance.parameter`. */
    fieldTitle: (scope: string, field: string, title: string) => (scope === "together" ? field : titleOf(scope, field, title)),
    /** Of a set that was found: of several on an account, whose parameter it is and how that is called. */
    setTitle: ({ strategy, instances }: Pick<Run, "strategy" | "instances">, field: string) => {
      const whose = instances.find(({ name }) => field.startsWith(`${name}.`));
      const plain = whose ? field.slice(whose.name.length + 1) : field;
      if (!whose) return titleOf(strategy, plain, spoken(plain));
      return `${whose.name} · ${plain === "quote" ? t("runs.together.part") : titleOf(whose.strategy, plain, spoken(plain))}`;
    },
    fieldHelp: (scope: string, field: string, help: string) => or(`kinds.${scope}.fields.${field}.help`, help),
    choice: (value: string) => or(`kinds.choices.${value}`, spoken(value)),
    figure: (name: string) => or(`runs.figures.${name}`, spoken(name.replace("_percent", " (%)"))),
    figureHelp: (name: string) => or(`runs.figureHelp.${name}`, ""),
    /** Why an order is not resting. */
    heldBack: (code: string) => or(`heldBack.${code.replaceAll(" ", "_")}`, spoken(code)),
    orderStatus: (code: string) => or(`orderStatus.${code}`, spoken(code)),
    action: (code: string) => or(`actions.${code.replaceAll(".", "_")}`, spoken(code.replaceAll(".", " "))),
    /** A code has its words; a sentence of the venue stays as it came. */
    told,
    /** What went wrong with a request, and what to do next. */
    problem,
  };

  /** A sentence of the node by its code, with its values put into it; the English as it came where it has no code. */
  function told(words: Words | null | undefined, text: string): string {
    const key = `told.${words?.code}`;
    if (!words || !te(key, locale.value)) return text;
    const values = Object.entries(words.values ?? {}).map(([name, value]) => [name, typeof value === "string" ? value : told(value, value.text)]);
    // A sentence inside another one ends where that one goes on.
    const sentence = t(key, Object.fromEntries(values)).replace(/。+(?=[。；：，）])/g, "");
    return words.field ? t("errors.of", { field: words.field, what: sentence }) : sentence;
  }
  function problem({ status, code, words, message, nextStep }: Problem): { what: string; next: string } {
    if (status === 0) return { what: t("errors.unreachable"), next: t("errors.unreachableNext") };
    const kind = or(`told.${code}`, "");
    const known = words ? told(words, "") : kind && t("errors.because", { what: kind.replace(/。$/, ""), why: message });
    if (!known) return { what: message || t("errors.unknown"), next: nextStep };
    const [what, ...next] = known.split("；");
    return { what: what!, next: next.join("；") || or(`errors.next.${status}`, nextStep) };
  }
}

export function learnTitles(kinds: readonly StrategyKind[]): void {
  const known = kinds.map(({ name, schema }) => [name, Object.fromEntries(Object.entries((schema.properties ?? {}) as Record<string, { title?: string }>).flatMap(([field, { title }]) => (title ? [[field, title]] : [])))] as const);
  titles.value = Object.fromEntries(known);
}
