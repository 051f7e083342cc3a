/** What the API says when it cannot do what was asked: RFC 9457, with what to do next. */
import type { Words } from "./types";

export interface FieldError {
  field: string;
  reason: string;
  words?: Words | null;
}

export class Problem extends Error {
  /** Of what is a part of an answer, the answer. */
  origin?: Problem;
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly nextStep: string,
    readonly errors: FieldError[],
    readonly words: Words | null = null,
  ) {
    super(detail);
  }
}

interface ProblemBody {
  code?: string;
  title?: string;
  detail?: string;
  next_step?: string;
  errors?: FieldError[];
  words?: Words | null;
}

/** A `Problem` from whatever a failed request left: a body, a text, or nothing at all when no answer came. */
export function toProblem(error: unknown, response: Response | undefined): Problem {
  if (!response) return new Problem(0, "unreachable", "", "", []);
  const body = (typeof error === "object" && error !== null ? error : {}) as ProblemBody;
  const code = body.code ?? `http_${response.status}`;
  return new Problem(response.status, code, body.detail ?? body.title ?? "", body.next_step ?? "", body.errors ?? [], body.words ?? null);
}
