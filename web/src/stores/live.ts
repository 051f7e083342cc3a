/** What the node tells as it happens: the newest status of each strategy, the newest price of each symbol. */
import { useQueryCache, type EntryKey } from "@pinia/colada";
import { useIntervalFn, useThrottleFn } from "@vueuse/core";
import { defineStore } from "pinia";
import { reactive, ref, shallowRef } from "vue";
import { openEvents } from "@/api/client";
import { EventStream, type StreamEvent, type StreamState } from "@/api/events";
import { kindOf, strategyOf, toAlert, toLiveStatus, toPrice, type Alert, type Price } from "@/api/narrow";
import type { LiveStatus } from "@/api/types";

const POLL_MS = 5_000;
const REFRESH_MS = 1_000;

export const priceKey = (exchange: string, symbol: string) => `${exchange}:${symbol}`;

export const useLive = defineStore("live", () => {
  const cache = useQueryCache();
  const state = ref<StreamState>("connecting");
  const statuses = reactive(new Map<number, { status: LiveStatus | null; heardAt: number }>());
  const prices = reactive(new Map<string, Price>());
  const lastAlert = shallowRef<Alert>();
  let stream: EventStream | undefined;

  const throttles = new Map<string, () => void>();
  /** Asks again for what is shown of a kind, at most once a second. */
  function refresh(key: EntryKey): void {
    const name = JSON.stringify(key);
    if (!throttles.has(name)) throttles.set(name, useThrottleFn(() => void cache.invalidateQueries({ key }), REFRESH_MS, true));
    throttles.get(name)!();
  }

  const handlers: Record<string, (data: unknown) => void> = {
    "strategy.status": (data) => statuses.set(strategyOf(data) ?? 0, { status: toLiveStatus(data), heardAt: Date.now() }),
    "strategy.fill": (data) => refresh(["results", strategyOf(data) ?? 0]),
    "strategy.order": (data) => refresh(["results", strategyOf(data) ?? 0]),
    command: () => refresh(["strategies"]),
    node: () => refresh(["nodes"]),
    run(data) {
      refresh(["runs"]);
      if (kindOf(data) === "import") refresh(["histories"]);
    },
    "copy.signal": () => refresh(["copying"]),
    "copy.trade": () => refresh(["copying"]),
    "copy.status": () => refresh(["copying"]),
    price(data) {
      const told = toPrice(data);
      if (told) prices.set(priceKey(told.exchange, told.symbol), told);
    },
    alert: (data) => (lastAlert.value = toAlert(data)),
    // What was missed cannot be replayed: everything is asked for again.
    reset: forget,
  };
  const onEvent = (event: StreamEvent) => handlers[event.topic]?.(event.data);

  function forget(): void {
    statuses.clear();
    prices.clear();
    void cache.invalidateQueries();
  }
  // The stream is silent or gone: ask instead, until it is back.
  useIntervalFn(() => stream && state.value !== "live" && forget(), POLL_MS);

  /** An answer that was asked for after an event was heard is the newer of the two. */
  function settle(ids: number[], askedAt: number): void {
    for (const id of ids) if ((statuses.get(id)?.heardAt ?? askedAt) < askedAt) statuses.delete(id);
  }
  function connect(): void {
    if (stream) return;
    stream = new EventStream(openEvents, { onEvent, onState: (value) => (state.value = value) });
    void stream.follow();
  }
  function disconnect(): void {
    stream?.stop();
    stream = undefined;
  }
  return { state, statuses, prices, lastAlert, connect, disconnect, settle };
});
