import { useI18n } from "vue-i18n";
import type { Job } from "@/api/runs";
import type { RunDetail } from "@/api/types";
import { differencesOf, type Difference } from "@/format/differences";
import { useWords } from "./words";

type Values = Record<string, unknown>;
/** Terms that are themselves names and values stand one by one; of lists, how many there are. */
const terms = (of: unknown): Values =>
  Object.fromEntries(Object.entries((of ?? {}) as Values).map(([name, value]) => [name, Array.isArray(value) ? value.length : value]));
const apart = (of: Values): Values => ({ ...of, futures: null, queue: null });

/** What was different about two runs, in words; of several on an account, place by place. */
export function useDifferences() {
  const { t } = useI18n();
  const words = useWords();

  function ofJobs(one: Job, other: Job): Difference[] {
    const named = (scope: string) => (row: Difference) => ({ ...row, name: words.fieldTitle(scope, row.name, row.name) });
    return [
      ...differencesOf(one.params, other.params).map(named(one.strategy)),
      ...differencesOf(apart(one.assumptions ?? {}), apart(other.assumptions ?? {})).map(named("assumptions")),
      ...differencesOf(terms(one.assumptions?.futures), terms(other.assumptions?.futures)).map(named("futures")),
      ...differencesOf(terms(one.assumptions?.queue), terms(other.assumptions?.queue)).map(named("queue")),
      ...differencesOf(one.period, other.period).map((row) => ({ ...row, name: t(`runs.differ.${row.name}`) })),
    ];
  }
  function ofInstances(runs: readonly [RunDetail, RunDetail], jobs: readonly [Job, Job]): Difference[] {
    const [one, other]: [Job[], Job[]] = [jobs[0].instances ?? [], jobs[1].instances ?? []];
    const shown = (run: RunDetail, at: number) => run.instances[at] && { strategy: run.instances[at].strategy, symbol: run.instances[at].symbol, history: run.instances[at].history };
    return Array.from({ length: Math.max(one.length, other.length) }, (_, at) => {
      const heads = differencesOf(shown(runs[0], at), shown(runs[1], at)).map((row) => ({ ...row, name: t(`runs.differ.${row.name}`) }));
      const found = one[at] && other[at] && one[at].strategy === other[at].strategy ? ofJobs(one[at], other[at]) : [];
      return [...heads, ...found].map((row) => ({ ...row, name: `${at + 1}. ${row.name}` }));
    }).flat();
  }
  function ofRuns(runs: readonly [RunDetail, RunDetail], jobs: readonly [Job, Job]): Difference[] {
    const head = ({ symbol, history, strategy }: RunDetail): Values => ({ strategy, symbol, history });
    const isOfOne = !jobs[0].instances && !jobs[1].instances;
    return [
      ...(isOfOne ? differencesOf(head(runs[0]), head(runs[1])).map((row) => ({ ...row, name: t(`runs.differ.${row.name}`) })) : []),
      ...(isOfOne ? ofJobs(...jobs) : [...differencesOf({ capital: jobs[0].capital }, { capital: jobs[1].capital }).map((row) => ({ ...row, name: t("runs.figures.capital") })), ...ofInstances(runs, jobs)]),
      ...differencesOf({ code: runs[0].stamp?.code }, { code: runs[1].stamp?.code }).map((row) => ({ ...row, name: t("runs.stamps.code") })),
    ];
  }
  return { ofRuns };
}
