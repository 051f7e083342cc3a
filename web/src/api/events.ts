/** Following the node's events: one stream, resumed where it broke, and a word on how fresh it is. */
import { createParser, type EventSourceParser } from "eventsource-parser";
import { Problem } from "./problem";

/** `stale`: connected, but silent for longer than a ping takes. `broken`: no connection; ask by polling. */
export type StreamState = "connecting" | "live" | "stale" | "broken" | "refused";

export interface StreamEvent {
  topic: string;
  data: unknown;
}

export interface StreamListener {
  onEvent(event: StreamEvent): void;
  onState(state: StreamState): void;
}

export type OpenStream = (lastEventId: string, signal: AbortSignal) => Promise<Response>;

/** The node pings every 15 s. */
const STALE_MS = 20_000;
const DEAD_MS = 40_000;
const LONGEST_WAIT_MS = 15_000;

export class EventStream {
  private lastEventId = "";
  private readonly stopping = new AbortController();
  private failures = 0;

  constructor(
    private readonly open: OpenStream,
    private readonly listener: StreamListener,
  ) {}

  stop(): void {
    this.stopping.abort();
  }

  /** Runs until `stop`, or until the node refuses the session. */
  async follow(): Promise<void> {
    const signal = this.stopping.signal;
    while (!signal.aborted) {
      this.listener.onState(this.failures > 1 ? "broken" : "connecting");
      try {
        await this.readOnce();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status === 401) return this.listener.onState("refused");
      }
      this.failures += 1;
      this.listener.onState(this.failures > 1 ? "broken" : "connecting");
      await pause(Math.min(500 * 2 ** (this.failures - 1), LONGEST_WAIT_MS), signal);
    }
  }

  private async readOnce(): Promise<void> {
    const attempt = new AbortController();
    const signal = AbortSignal.any([attempt.signal, this.stopping.signal]);
    const watch = new SilenceWatch(
      () => this.listener.onState("stale"),
      () => attempt.abort(),
    );
    try {
      watch.heard();
      const response = await this.open(this.lastEventId, signal);
      const decoder = new TextDecoder();
      const parser = this.parser();
      const reader = response.body!.getReader();
      signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        watch.heard();
        this.failures = 0;
        this.listener.onState("live");
        parser.feed(decoder.decode(part.value, { stream: true }));
      }
    } finally {
      watch.end();
      attempt.abort();
    }
  }

  private parser(): EventSourceParser {
    return createParser({
      onEvent: (message) => {
        if (message.id) this.lastEventId = message.id;
        if (message.event === "reset") this.lastEventId = "";
        this.listener.onEvent({ topic: message.event ?? "message", data: JSON.parse(message.data) });
      },
    });
  }
}

class SilenceWatch {
  private timers: ReturnType<typeof setTimeout>[] = [];

  constructor(
    private readonly onStale: () => void,
    private readonly onDead: () => void,
  ) {}

  heard(): void {
    this.end();
    this.timers = [setTimeout(this.onStale, STALE_MS), setTimeout(this.onDead, DEAD_MS)];
  }

  end(): void {
    this.timers.forEach(clearTimeout);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });
}
