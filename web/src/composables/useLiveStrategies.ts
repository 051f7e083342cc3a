import type { Strategy } from "@/api/types";
import { priceKey, useLive } from "@/stores/live";

export interface LiveStrategy extends Strategy {
  price: string | null;
}
/** A worker that dies says nothing: what is shown is asked for again as often as a status is renewed. */
export const RENEW_MS = 10_000;

/** Lays what the stream has told since over what was loaded. */
export function useLiveStrategies() {
  const live = useLive();

  function overlay(strategy: Strategy): LiveStrategy {
    const told = live.statuses.get(strategy.id);
    const status = told ? told.status : strategy.live;
    const price = live.prices.get(priceKey(strategy.feed, strategy.symbol))?.price;
    return { ...strategy, live: status, price: price ?? status?.current_price ?? null };
  }
  /** Loads, and lets the answer win over older events. */
  async function settled<Answer>(load: () => Promise<Answer>, idsOf: (answer: Answer) => number[]): Promise<Answer> {
    const askedAt = Date.now();
    const answer = await load();
    live.settle(idsOf(answer), askedAt);
    return answer;
  }
  return { overlay, settled };
}
