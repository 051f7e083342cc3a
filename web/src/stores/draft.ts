/** What one page hands to a form of another: strategies, a backtest or a search that is filled in already. */
import { defineStore } from "pinia";
import { shallowRef } from "vue";
import type { AccountDraft, AccountSearchDraft, BacktestDraft, OptimisationDraft, StrategyDraft } from "@/forms/drafts";

interface Drafts {
  /** One form after the other. */
  strategies: StrategyDraft[];
  backtest: BacktestDraft;
  account: AccountDraft;
  optimisation: OptimisationDraft;
  accountSearch: AccountSearchDraft;
}

export const useDraft = defineStore("draft", () => {
  const kept = shallowRef<Partial<Drafts>>({});

  function hand<Name extends keyof Drafts>(name: Name, draft: Drafts[Name]): void {
    kept.value = { ...kept.value, [name]: draft };
  }
  /** Gives what was handed over, once. */
  function take<Name extends keyof Drafts>(name: Name): Drafts[Name] | undefined {
    const { [name]: taken, ...rest } = kept.value;
    kept.value = rest as Partial<Drafts>;
    return taken;
  }
  return { kept, hand, take };
});
