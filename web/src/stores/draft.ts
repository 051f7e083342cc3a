/** What one page hands to a form of another: a strategy or a backtest that is filled in already. */
import { defineStore } from "pinia";
import { ref } from "vue";
import type { AccountDraft, BacktestDraft, StrategyDraft } from "@/forms/drafts";

export const useDraft = defineStore("draft", () => {
  const strategy = ref<StrategyDraft>();
  const backtest = ref<BacktestDraft>();
  const account = ref<AccountDraft>();

  /** Gives what was handed over, once. */
  function take<Draft>(from: { value: Draft | undefined }): Draft | undefined {
    const taken = from.value;
    from.value = undefined;
    return taken;
  }
  return {
    strategy, backtest, account,
    takeStrategy: () => take(strategy),
    takeBacktest: () => take(backtest),
    takeAccount: () => take(account),
  };
});
