/** The one door to the node: everything that leaves the page leaves here. */
import { client } from "./generated/client.gen";
import { toProblem } from "./problem";

export * as api from "./generated/sdk.gen";

const MARK = { "X-Ares-Request": "1" };

// The header cannot be set by a form or an image of another site: state changes without it are refused.
client.setConfig({ baseUrl: "", headers: MARK, credentials: "same-origin" });
client.interceptors.error.use((error, response) => toProblem(error, response));

/** The stream of events after the one with this id; the answer's body never ends by itself. */
export async function openEvents(lastEventId: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { ...MARK, Accept: "text/event-stream" };
  if (lastEventId) headers["Last-Event-ID"] = lastEventId;
  const response = await fetch("/api/events", { headers, signal, credentials: "same-origin", cache: "no-store" });
  if (!response.ok) throw toProblem(await response.json().catch(() => null), response);
  return response;
}
