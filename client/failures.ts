import { TRPCClientError } from "@trpc/client";
import { MEDIA_ERROR_CODES, type MediaErrorCode, type MediaFailure } from "../src/media/errors.js";

/**
 * What can fail on this side of the wire. NO_ANSWER: the request was not sent or its answer did not arrive, so it may
 * or may not have happened. ABORTED: the caller's signal ended it. UNREADABLE_ANSWER: something answered that is not
 * this API, such as a proxy.
 */
export type ClientFailure = { code: "NO_ANSWER" } | { code: "ABORTED" } | { code: "UNREADABLE_ANSWER" };

/** A failure with its facts (`maxBytes`, `issues`, `right` …, by code) and what every failure has. */
export type MediaProblem = (MediaFailure | ClientFailure) & {
  /** HTTP status; null where no answer came. */
  status: number | null;
  /** One sentence for people. */
  detail: string;
  /** Leads to the server's log line. */
  requestId: string | null;
  /** When to try again; null where the server did not say. */
  retryAfterSeconds: number | null;
};

/** The one exception of this package. Switch over `problem.code` to reach a failure's facts. */
export class MediaClientError extends Error {
  readonly problem: MediaProblem;

  constructor(problem: MediaProblem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.name = "MediaClientError";
    this.problem = problem;
  }

  get code(): MediaErrorCode | ClientFailure["code"] {
    return this.problem.code;
  }
  get status(): number | null {
    return this.problem.status;
  }
  get detail(): string {
    return this.problem.detail;
  }
  get requestId(): string | null {
    return this.problem.requestId;
  }
  get retryAfterSeconds(): number | null {
    return this.problem.retryAfterSeconds;
  }
}

/** An answer as far as failures need it. */
export type FailedAnswer = { status: number; header(name: string): string | null; body: unknown };

/** Whatever a call of this package or of its `api` threw, as the one error class; the original is its `cause`. */
export function toMediaClientError(error: unknown): MediaClientError {
  if (error instanceof MediaClientError) return error;
  if (isTrpcError(error)) return fromTrpc(error);
  return unanswered(error, error);
}

/** Of any router: what `data` holds is looked at, not believed. */
const isTrpcError = (error: unknown): error is TRPCClientError<never> => error instanceof TRPCClientError;

/** The failure a plain HTTP answer tells of. */
export function failureOf(answer: FailedAnswer): MediaClientError {
  return new MediaClientError(readProblem(answer.body, answer.status) ?? unreadable(answer));
}

/** tRPC's envelope carries the failure in `data`; what refused the request before tRPC saw it answered plain HTTP. */
function fromTrpc(error: TRPCClientError<never>): MediaClientError {
  if (error.cause instanceof MediaClientError) return error.cause;
  const data: unknown = error.data;
  if (isRecord(data)) {
    const problem = readProblem({ ...data, detail: error.message }, Number(data.httpStatus));
    if (problem) return new MediaClientError(problem, { cause: error });
  }
  const { response, responseJSON } = error.meta ?? {};
  if (!isResponse(response)) return unanswered(error.cause ?? error, error);
  const header = (name: string) => response.headers.get(name);
  const answer = { status: response.status, header, body: responseJSON };
  return new MediaClientError(readProblem(answer.body, answer.status) ?? unreadable(answer), { cause: error });
}

/** By what it can do: a `fetch` of the caller's, or a server framework that replaces the global, has a class of its own. */
const isResponse = (value: unknown): value is Pick<Response, "status" | "headers"> =>
  isRecord(value) && typeof value.status === "number" && isRecord(value.headers);

const NOTHING_CAME = { status: null, requestId: null, retryAfterSeconds: null };

/** The caller's own signal ended the request, whatever reason it gave. */
export const abortedBy = (cause: unknown): MediaClientError =>
  new MediaClientError({ code: "ABORTED", detail: "The request was cancelled.", ...NOTHING_CAME }, { cause });

/** `abort()` and `AbortSignal.timeout` give these names; a reason of the caller's own reads as NO_ANSWER. */
const ABORT_NAMES = ["AbortError", "TimeoutError"];

function unanswered(reason: unknown, cause: unknown): MediaClientError {
  if (reason instanceof Error && ABORT_NAMES.includes(reason.name)) return abortedBy(cause);
  const detail = `No answer came: ${messageOf(reason)}.`;
  return new MediaClientError({ code: "NO_ANSWER", detail, ...NOTHING_CAME }, { cause });
}

const messageOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

function unreadable({ status, header }: FailedAnswer): MediaProblem {
  const after = header("retry-after") ?? "";
  return {
    code: "UNREADABLE_ANSWER",
    status,
    detail: `The server answered ${status} in a form this client does not know.`,
    requestId: header("x-request-id"),
    retryAfterSeconds: /^\d+$/.test(after) ? Number(after) : null,
  };
}

/** A problem document, or null where the body is none or its code is unknown here. */
function readProblem(body: unknown, status: number): MediaProblem | null {
  if (!isRecord(body) || !isMediaErrorCode(body.code)) return null;
  const { type: _type, title: _title, httpStatus: _httpStatus, detail, requestId, ...facts } = body;
  const problem = {
    retryAfterSeconds: null,
    ...facts,
    status,
    detail: typeof detail === "string" ? detail : body.code,
    requestId: typeof requestId === "string" ? requestId : null,
  };
  // The facts of a known code are the server's own union, written by the same source as this type.
  return problem as unknown as MediaProblem;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const isMediaErrorCode = (code: unknown): code is MediaErrorCode =>
  (MEDIA_ERROR_CODES as readonly unknown[]).includes(code);
