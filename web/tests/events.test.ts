import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EventStream, type StreamEvent, type StreamState } from "@/api/events";
import { Problem } from "@/api/problem";

/** A node whose stream is written by the test. */
class FakeNode {
  readonly askedFor: string[] = [];
  private writer?: ReadableStreamDefaultController<Uint8Array>;
  down: Error | undefined;

  readonly open = (lastEventId: string): Promise<Response> => {
    this.askedFor.push(lastEventId);
    if (this.down) return Promise.reject(this.down);
    return Promise.resolve(new Response(new ReadableStream({ start: (writer) => void (this.writer = writer) })));
  };
  async says(text: string): Promise<void> {
    this.writer!.enqueue(new TextEncoder().encode(text));
    await vi.advanceTimersByTimeAsync(0);
  }
  async hangsUp(): Promise<void> {
    this.writer!.close();
    await vi.advanceTimersByTimeAsync(0);
  }
}

let node: FakeNode;
let events: StreamEvent[];
let states: StreamState[];
let stream: EventStream;

beforeEach(async () => {
  vi.useFakeTimers();
  [node, events, states] = [new FakeNode(), [], []];
  stream = new EventStream(node.open, { onEvent: (event) => events.push(event), onState: (state) => states.push(state) });
  void stream.follow();
  await vi.advanceTimersByTimeAsync(0);
});
afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

describe("the stream of events", () => {
  test("hands events over as they arrive, even in pieces", async () => {
    await node.says('id: 5-1\nevent: strategy.fill\ndata: {"id"');
    expect(events).toEqual([]);
    await node.says(": 7}\n\n");
    expect(events).toEqual([{ topic: "strategy.fill", data: { id: 7 } }]);
    expect(states.at(-1)).toBe("live");
  });

  test("goes on after the last event it has seen", async () => {
    await node.says("id: 5-1\nevent: price\ndata: {}\n\n");
    await node.hangsUp();
    expect(states.at(-1)).toBe("connecting");
    await vi.advanceTimersByTimeAsync(500);
    expect(node.askedFor).toEqual(["", "5-1"]);
  });

  test("begins anew when the node says that what was missed is gone", async () => {
    await node.says("id: 5-1\nevent: price\ndata: {}\n\nevent: reset\ndata: {}\n\n");
    await node.hangsUp();
    await vi.advanceTimersByTimeAsync(500);
    expect(node.askedFor).toEqual(["", ""]);
  });

  test("is stale after 20 silent seconds, live again with a ping, and opened anew after 40", async () => {
    await node.says(": ping\n\n");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(states.at(-1)).toBe("stale");
    await node.says(": ping\n\n");
    expect(states.at(-1)).toBe("live");
    await vi.advanceTimersByTimeAsync(41_000);
    expect(node.askedFor).toHaveLength(2);
  });

  test("says that it is broken while the node does not answer, and waits longer each time", async () => {
    node.down = new TypeError("no connection");
    await node.hangsUp();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states.at(-1)).toBe("broken");
    expect(node.askedFor.length).toBeLessThan(12);
    node.down = undefined;
    await vi.advanceTimersByTimeAsync(15_000);
    await node.says(": ping\n\n");
    expect(states.at(-1)).toBe("live");
  });

  test("ends when the node refuses the session", async () => {
    node.down = new Problem(401, "not_signed_in", "", "", []);
    await node.hangsUp();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states.at(-1)).toBe("refused");
    expect(node.askedFor).toHaveLength(2);
  });
});
