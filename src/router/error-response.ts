import { describeFailure, type MediaFailure } from "../media/errors.js";
import { ERROR_MAP, toFailure } from "../procedures/error-map.js";
import type { AppContext } from "./app-env.js";

/** The body of every failed plain HTTP answer, RFC 9457, with the failure's own facts beside the standard members. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: MediaFailure["code"];
  requestId: string;
};

export function toProblem(failure: MediaFailure, requestId: string): Problem {
  const { status, title } = ERROR_MAP[failure.code];
  const type = `urn:artitec-media:problem:${failure.code}`;
  return { ...failure, type, title, status, detail: describeFailure(failure), requestId };
}

/** Answers a failure; a failure that says when to come back sets Retry-After. */
function problemResponse(c: AppContext, failure: MediaFailure): Response {
  const problem = toProblem(failure, c.get("requestId"));
  c.header("Content-Type", "application/problem+json");
  c.header("Cache-Control", "no-store");
  if ("retryAfterSeconds" in failure) c.header("Retry-After", String(failure.retryAfterSeconds));
  if (failure.code === "UNAUTHENTICATED") c.header("WWW-Authenticate", "Bearer");
  if (failure.code === "METHOD_NOT_ALLOWED") c.header("Allow", failure.allowed.join(", "));
  return c.body(JSON.stringify(problem), problem.status as 400);
}

/** Anything thrown becomes one of the closed list of failures; what nobody foresaw is logged with its stack. */
export const errorResponse = (c: AppContext, error: unknown): Response => problemResponse(c, toFailure(error));
